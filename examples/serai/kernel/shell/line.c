/*
 * The line editor. Terminals send keys as bytes; arrows and their like as ESC [ and a letter, some with a number and ~ (ECMA-48).
 * What is shown is kept right with two means only: writing text over what is there, and backspaces to move left.
 */
#include "shell/line.h"
#include "devices/console.h"
#include "lib/print.h"
#include "lib/string.h"
#include "shell/commands.h"

#define HISTORY 16

enum {
  CONTROL_A = 1,
  CONTROL_C = 3,
  CONTROL_D = 4,
  CONTROL_E = 5,
  BACKSPACE = 8,
  TAB = 9,
  CONTROL_U = 21,
  ESCAPE = 27,
  DELETE = 127,
  /* No bytes: what escape sequences mean. */
  KEY_UP = 256,
  KEY_DOWN,
  KEY_LEFT,
  KEY_RIGHT,
  KEY_HOME,
  KEY_END,
  KEY_DELETE,
  KEY_UNKNOWN,
};

static char history[HISTORY][LINE_BYTES];
static u32 history_count; /* lines ever noted; the last HISTORY of them are there */

/* The line being edited. */
static char *text;
static size_t length, cursor;
static const char *prompt_text;

static int read_key(void) {
  u8 byte = console_read();
  if (byte != ESCAPE) return byte;
  u8 kind = console_read();
  if (kind != '[' && kind != 'O') return KEY_UNKNOWN;
  u8 number = 0, last = console_read();
  while ((last >= '0' && last <= '9') || last == ';') {
    number = last;
    last = console_read();
  }
  switch (last) {
  case 'A': return KEY_UP;
  case 'B': return KEY_DOWN;
  case 'C': return KEY_RIGHT;
  case 'D': return KEY_LEFT;
  case 'H': return KEY_HOME;
  case 'F': return KEY_END;
  case '~':
    if (number == '1' || number == '7') return KEY_HOME;
    if (number == '4' || number == '8') return KEY_END;
    return number == '3' ? KEY_DELETE : KEY_UNKNOWN;
  default: return KEY_UNKNOWN;
  }
}

static void show(const char *from, size_t count) { console_write(from, count); }
static void back(size_t count) {
  while (count-- > 0) show("\b", 1);
}

/* The text from the cursor on has changed, and was `old` characters long: shows it, blanks what is left of the old one, goes back. */
static void show_rest(size_t old) {
  size_t rest = length - cursor;
  show(text + cursor, rest);
  for (size_t i = rest; i < old; i++) show(" ", 1);
  back(MAX(rest, old));
}

static void insert(char character) {
  if (length + 1 >= LINE_BYTES) return;
  memmove(text + cursor + 1, text + cursor, length - cursor);
  text[cursor] = character;
  length++;
  show(text + cursor, 1);
  cursor++;
  if (cursor < length) show_rest(length - cursor);
}

/* Removes the character at the cursor. */
static void remove_here(void) {
  if (cursor == length) return;
  size_t old = length - cursor;
  memmove(text + cursor, text + cursor + 1, length - cursor - 1);
  length--;
  show_rest(old);
}

static void move_to(size_t target) {
  if (target < cursor) back(cursor - target);
  else show(text + cursor, target - cursor);
  cursor = target;
}

static void replace(const char *with) {
  size_t old = length;
  move_to(0);
  copy_string(text, with, LINE_BYTES);
  length = cursor = strlen(text);
  show(text, length);
  if (old > length) show_rest(old - length);
}

/* --- History. --------------------------------------------------------------------------------------------------------- */

static void remember(void) {
  if (length == 0) return;
  if (history_count > 0 && strcmp(history[(history_count - 1) % HISTORY], text) == 0) return;
  copy_string(history[history_count++ % HISTORY], text, LINE_BYTES);
}

/* Line `number` of the history, or, behind its end, the line that was being typed. */
static void recall(u32 number, const char *unfinished) { replace(number < history_count ? history[number % HISTORY] : unfinished); }

/* --- Completion. ------------------------------------------------------------------------------------------------------ */

/* The words that may stand where the cursor is, one by one; NULL behind the last. */
static const char *candidate(u32 index, size_t word_start) {
  if (word_start == 0) return index < command_count ? commands[index].name : NULL;
  for (u32 i = 0; i < command_count; i++) {
    size_t name = strlen(commands[i].name);
    if (strncmp(commands[i].name, text, name) == 0 && text[name] == ' ') return commands[i].words != NULL ? commands[i].words(index) : NULL;
  }
  return NULL;
}

static void complete_word(void) {
  size_t start = cursor;
  while (start > 0 && text[start - 1] != ' ') start--;
  size_t typed = cursor - start, common = 0;
  u32 matches = 0;
  const char *first = NULL, *word;
  for (u32 i = 0; (word = candidate(i, start)) != NULL; i++) {
    if (strncmp(word, text + start, typed) != 0) continue;
    if (matches++ == 0) {
      first = word;
      common = strlen(word);
    }
    size_t same = 0;
    while (same < common && word[same] == first[same]) same++;
    common = same;
  }
  if (matches == 0) return;
  for (size_t i = typed; i < common; i++) insert(first[i]);
  if (matches == 1) {
    insert(' ');
  } else if (common == typed) {
    /* Nothing to add: shows what there is, and the line again. */
    print("\n");
    for (u32 i = 0; (word = candidate(i, start)) != NULL; i++)
      if (strncmp(word, text + start, typed) == 0) print("%s  ", word);
    print("\n%s", prompt_text);
    size_t at = cursor;
    cursor = 0;
    move_to(length);
    move_to(at);
  }
}

/* --- Reading a line. -------------------------------------------------------------------------------------------------- */

void line_read(const char *prompt, char line[LINE_BYTES]) {
  char unfinished[LINE_BYTES] = "";
  u32 shown = history_count; /* the line of the history that is shown; history_count: none */
  text = line;
  prompt_text = prompt;
  length = cursor = 0;
  text[0] = 0;
  print("%s", prompt);
  for (;;) {
    int key = read_key();
    switch (key) {
    case '\r':
    case '\n':
      move_to(length);
      print("\n");
      text[length] = 0;
      remember();
      return;
    case CONTROL_C:
      print("^C\n%s", prompt);
      length = cursor = 0;
      shown = history_count;
      break;
    case BACKSPACE:
    case DELETE:
      if (cursor == 0) break;
      move_to(cursor - 1);
      remove_here();
      break;
    case CONTROL_D:
    case KEY_DELETE:
      remove_here();
      break;
    case CONTROL_U:
      replace("");
      break;
    case CONTROL_A:
    case KEY_HOME:
      move_to(0);
      break;
    case CONTROL_E:
    case KEY_END:
      move_to(length);
      break;
    case KEY_LEFT:
      if (cursor > 0) move_to(cursor - 1);
      break;
    case KEY_RIGHT:
      if (cursor < length) move_to(cursor + 1);
      break;
    case KEY_UP:
    case KEY_DOWN:
      text[length] = 0;
      if (key == KEY_UP && (shown == 0 || history_count - shown >= HISTORY)) break;
      if (key == KEY_DOWN && shown == history_count) break;
      if (shown == history_count) copy_string(unfinished, text, LINE_BYTES);
      shown = key == KEY_UP ? shown - 1 : shown + 1;
      recall(shown, unfinished);
      break;
    case TAB:
      text[length] = 0;
      complete_word();
      break;
    default:
      if (key >= ' ' && key < DELETE) insert((char)key);
    }
  }
}
