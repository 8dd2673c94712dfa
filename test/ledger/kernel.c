/* Functions such as an operating-system kernel spends its time in, written for the ledger: each alone in its bytes, without calls and
 * without data of its own. compile.ts makes kernel.json of this file. Arguments are in EAX, EDX and ECX, as in 32-bit Linux. */

typedef unsigned int u32;

#define HARDLY(x) __builtin_expect(!!(x), 0)

struct list {
	struct list *next, *prev;
};

/* Takes an entry out of its list and puts it at the end of another. */
void list_move_tail(struct list *entry, struct list *head)
{
	struct list *prev = entry->prev, *next = entry->next;

	next->prev = prev;
	prev->next = next;
	prev = head->prev;
	head->prev = entry;
	entry->next = head;
	entry->prev = prev;
	prev->next = entry;
}

/* The parent's address; bit 0: black. */
struct node {
	u32 parent;
	struct node *left, *right;
};

struct root {
	struct node *top;
};

static inline struct node *parent_of(const struct node *n)
{
	return (struct node *)(n->parent & ~1u);
}

/* `to` takes the place of `from` under its parent. */
static inline void take_place(struct root *root, struct node *from, struct node *to)
{
	struct node *parent = parent_of(from);

	to->parent = from->parent;
	if (!parent)
		root->top = to;
	else if (parent->left == from)
		parent->left = to;
	else
		parent->right = to;
}

/* A red node without children was put under a leaf: makes the tree red and black again. */
void tree_inserted(struct node *n, struct root *root)
{
	for (;;) {
		struct node *parent = parent_of(n), *grand, *uncle, *child;
		int on_left;

		if (!parent) {
			n->parent = 1;
			return;
		}
		if (parent->parent & 1)
			return;
		grand = parent_of(parent);
		on_left = grand->left == parent;
		uncle = on_left ? grand->right : grand->left;
		if (uncle && !(uncle->parent & 1)) {
			uncle->parent |= 1;
			parent->parent |= 1;
			grand->parent &= ~1u;
			n = grand;
			continue;
		}
		if (on_left) {
			if (parent->right == n) {
				child = n->left;
				parent->right = child;
				if (child)
					child->parent = (u32)parent | 1;
				n->left = parent;
				parent->parent = (u32)n;
				parent = n;
			}
			child = parent->right;
			grand->left = child;
			parent->right = grand;
		} else {
			if (parent->left == n) {
				child = n->right;
				parent->left = child;
				if (child)
					child->parent = (u32)parent | 1;
				n->right = parent;
				parent->parent = (u32)n;
				parent = n;
			}
			child = parent->left;
			grand->right = child;
			parent->left = grand;
		}
		if (child)
			child->parent = (u32)grand | 1;
		take_place(root, grand, parent);
		grand->parent = (u32)parent;
		return;
	}
}

/* Number of the first bit that is set from `from` on, or `bits`. */
u32 bitmap_next(const u32 *map, u32 bits, u32 from)
{
	u32 word, at;

	if (HARDLY(from >= bits))
		return bits;
	word = map[from / 32] & -1u << (from & 31);
	for (at = from & -32u; !word; word = map[at / 32]) {
		at += 32;
		if (at >= bits)
			return bits;
	}
	at += __builtin_ctz(word);
	return at < bits ? at : bits;
}

/* Sum of 32-bit words in ones' complement, as Internet headers want it, folded to 16 bits; `bytes` is a multiple of four. */
u32 checksum(const u32 *data, u32 bytes, u32 sum)
{
	for (; bytes >= 16; bytes -= 16, data += 4)
		__asm__("addl (%1), %0\n\tadcl 4(%1), %0\n\tadcl 8(%1), %0\n\tadcl 12(%1), %0\n\tadcl $0, %0" : "+r"(sum) : "r"(data) : "cc", "memory");
	for (; bytes; bytes -= 4, data++)
		__asm__("addl (%1), %0\n\tadcl $0, %0" : "+r"(sum) : "r"(data) : "cc", "memory");
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return ~sum & 0xffff;
}

/* Copies a string of at most `most` bytes, a word at a time while there is room for one; gives its length. */
int string_copy(char *to, const char *from, int most)
{
	int done = 0;

	for (; most >= 4; most -= 4, done += 4) {
		u32 word = *(const u32 *)(from + done), zeros = (word - 0x01010101) & ~word & 0x80808080;

		*(u32 *)(to + done) = word;
		if (zeros)
			return done + (__builtin_ctz(zeros) >> 3);
	}
	for (; most; most--, done++)
		if (!(to[done] = from[done]))
			return done;
	return done;
}

/* Low half: whose turn it is. High half: the next ticket. */
void ticket_lock(volatile u32 *lock)
{
	u32 ticket = 0x10000;

	__asm__ volatile("lock xaddl %0, %1" : "+r"(ticket), "+m"(*lock) : : "cc", "memory");
	while (HARDLY((*lock & 0xffff) != ticket >> 16))
		__asm__ volatile("pause" : : : "memory");
}

/* Takes a reference unless the last one is gone; 1 where it has. */
int reference_get(volatile u32 *count)
{
	u32 old = *count;

	do {
		if (HARDLY(!old))
			return 0;
	} while (HARDLY(!__atomic_compare_exchange_n(count, &old, old + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)));
	return 1;
}
