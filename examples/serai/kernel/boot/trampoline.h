/* Where application processors begin: a page below 1 MiB that nobody else uses. */
#pragma once
#define TRAMPOLINE 0x6000
