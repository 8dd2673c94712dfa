// A module for Debian's kernel with mistakes as drivers have them, for tools that find such, and each without its mistake: what is written to /sys/module/mistakes/parameters/make is made.
// The kernel goes on as if nothing were, but for the cache of `double-free`, which nothing else uses.
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

// As a driver's request: 40 bytes of kmalloc-64. SLUB keeps its own pointer of a free object in its middle, behind what is used here.
struct request {
	struct request *next;
	u32 sector, status;
	u8 data[24];
	u32 last;
};

// An object of a cache of the module's own. Caches with a constructor are no others' as well.
struct ticket {
	u32 number, holder, more[16];
};
static struct kmem_cache *tickets;

// Functions of their own, by their names: tools show who made, who freed and who used what.
#define apart noinline __attribute__((noipa))

static apart struct request *request_create(u32 sector)
{
	struct request *request = kmalloc(sizeof(*request), GFP_KERNEL);

	if (request)
		request->sector = sector;
	return request;
}

static apart void request_fill(struct request *request, u32 bytes)
{
	volatile u8 *data = (u8 *)request;
	u32 n;

	for (n = offsetof(struct request, data); n < bytes; n++)
		data[n] = (u8)(request->sector + n);
}

static apart void request_finish(struct request *request, u32 status)
{
	*(volatile u32 *)&request->status = status;
}

static apart u32 request_status(const struct request *request)
{
	return *(const volatile u32 *)&request->status;
}

static apart void request_free(struct request *request)
{
	kfree(request);
}

static apart u8 name_last(const char *name, size_t length)
{
	return *(const volatile u8 *)&name[length];
}

static apart char *name_create(size_t length)
{
	char *name = kmalloc(length, GFP_KERNEL);

	if (name)
		memset(name, 'x', length);
	return name;
}

static apart struct ticket *ticket_create(u32 number)
{
	struct ticket *ticket = kmem_cache_alloc(tickets, GFP_KERNEL);

	if (ticket)
		ticket->number = number;
	return ticket;
}

static apart u32 ticket_number(const struct ticket *ticket)
{
	return *(const volatile u32 *)&ticket->number;
}

static apart void ticket_free(struct ticket *ticket)
{
	kmem_cache_free(tickets, ticket);
}

static void ticket_construct(void *ticket)
{
	memset(ticket, 0, sizeof(struct ticket));
}

static int use_after_free(bool right)
{
	struct request *request = request_create(7);

	if (!request)
		return -ENOMEM;
	request_finish(request, 1);
	request_status(request);
	request_free(request);
	if (!right)
		request_status(request);
	return 0;
}

static int write_after_free(bool right)
{
	struct request *request = request_create(8);

	if (!request)
		return -ENOMEM;
	if (right)
		request_finish(request, 2);
	request_free(request);
	if (!right)
		request_finish(request, 2);
	return 0;
}

static int out_of_bounds(bool right)
{
	struct request *request = request_create(9);

	if (!request)
		return -ENOMEM;
	request_fill(request, sizeof(*request) + !right);
	request_free(request);
	return 0;
}

// Of a size that the compiler does not know, and that is no multiple of eight.
static int off_by_one(bool right)
{
	size_t length = 23;
	char *name = name_create(length);

	if (!name)
		return -ENOMEM;
	name_last(name, right ? length - 1 : length);
	kfree(name);
	return 0;
}

static int cache_use_after_free(bool right)
{
	struct ticket *ticket = ticket_create(3);

	if (!ticket)
		return -ENOMEM;
	if (right)
		ticket_number(ticket);
	ticket_free(ticket);
	if (!right)
		ticket_number(ticket);
	return 0;
}

// Another one is freed in between: the kernel looks whether it is the last one that is freed again, and stops there.
static int double_free(bool right)
{
	struct ticket *first = ticket_create(1), *second = ticket_create(2);

	if (!first || !second)
		return -ENOMEM;
	ticket_free(first);
	ticket_free(second);
	if (!right)
		ticket_free(first);
	return 0;
}

// Two threads on two CPUs add to one number, which is apart from all else.
static volatile u32 number __aligned(64);
static __aligned(64) DEFINE_SPINLOCK(number_lock);
static u32 rounds = 100000;

static apart void count_plain(void)
{
	number = number + 1;
}

static apart void count_locked(void)
{
	spin_lock(&number_lock);
	number = number + 1;
	spin_unlock(&number_lock);
}

struct counting {
	void (*count)(void);
	atomic_t ready;
	struct completion done;
};

static int count_thread(void *argument)
{
	struct counting *counting = argument;
	u32 n;

	atomic_inc(&counting->ready);
	while (atomic_read(&counting->ready) < 2)
		cpu_relax();
	for (n = 0; n < rounds; n++)
		counting->count();
	kthread_complete_and_exit(&counting->done, 0);
}

static int race(bool right)
{
	struct counting counting = { .count = right ? count_locked : count_plain };
	struct task_struct *threads[2];
	int n;

	if (num_online_cpus() < 2)
		return -ENODEV;
	number = 0;
	init_completion(&counting.done);
	for (n = 0; n < 2; n++) {
		threads[n] = kthread_create(count_thread, &counting, "count/%d", n);
		if (IS_ERR(threads[n])) {
			// Nobody has woken the other one.
			if (n == 1)
				kthread_stop(threads[0]);
			return PTR_ERR(threads[n]);
		}
		kthread_bind(threads[n], n);
	}
	for (n = 0; n < 2; n++)
		wake_up_process(threads[n]);
	for (n = 0; n < 2; n++)
		wait_for_completion(&counting.done);
	pr_info("mistakes: counted %u\n", number);
	return 0;
}

static const struct {
	const char *name;
	int (*make)(bool right);
} mistakes[] = {
	{ "use-after-free", use_after_free },
	{ "write-after-free", write_after_free },
	{ "out-of-bounds", out_of_bounds },
	{ "off-by-one", off_by_one },
	{ "cache-use-after-free", cache_use_after_free },
	{ "double-free", double_free },
	{ "race", race },
};

// NAME, or NAME right.
static int make_set(const char *value, const struct kernel_param *parameter)
{
	int n;

	for (n = 0; n < ARRAY_SIZE(mistakes); n++) {
		size_t length = strlen(mistakes[n].name);

		if (strncmp(value, mistakes[n].name, length))
			continue;
		if (sysfs_streq(value + length, ""))
			return mistakes[n].make(false);
		if (sysfs_streq(value + length, " right"))
			return mistakes[n].make(true);
	}
	return -EINVAL;
}
static const struct kernel_param_ops make_operations = { .set = make_set };
module_param_cb(make, &make_operations, NULL, 0200);
module_param(rounds, uint, 0600);
MODULE_PARM_DESC(make, "what is made: NAME, or NAME right");
MODULE_PARM_DESC(rounds, "what each thread of race adds");

static int __init mistakes_begin(void)
{
	tickets = kmem_cache_create("mistakes", sizeof(struct ticket), 0, 0, ticket_construct);
	return tickets ? 0 : -ENOMEM;
}
// It stays: a cache with an object that is free twice has no end.
module_init(mistakes_begin);
MODULE_DESCRIPTION("Mistakes of a driver, planted");
MODULE_LICENSE("Dual MIT/GPL");
