/* The shell: a kernel thread. */
#pragma once
void shell_main(void *unused);
