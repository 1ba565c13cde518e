/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading the BPF program with libbpf, which is looked for only now: whoever does not need it does
 * not need the library either.
 */
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/task_iter.h"
#include "task_iter_object.h"

/* The object file, put into the program by the assembler. */
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	"task_iter_object:\n"
	".incbin \"" TASK_ITER_OBJECT "\"\n"
	"task_iter_object_end:\n"
	".byte 0\n"
	".popsection\n");
extern const char task_iter_object[], task_iter_object_end[];

struct lib {
	void *handle;
	__typeof__(bpf_object__open_mem) *open_mem;
	__typeof__(bpf_object__load) *load;
	__typeof__(bpf_object__close) *close;
	__typeof__(bpf_object__find_program_by_name) *find;
	__typeof__(bpf_program__attach_iter) *attach;
	__typeof__(bpf_link__pin) *pin;
	__typeof__(bpf_link__fd) *link_fd;
	__typeof__(bpf_link__destroy) *destroy;
	__typeof__(libbpf_set_print) *set_print;
	int (*iter_create)(int link_fd);
};

static int open_lib(struct lib *l)
{
	const struct {
		const char *name;
		void **place;
	} wanted[] = {
		{ "bpf_object__open_mem", (void **)&l->open_mem },
		{ "bpf_object__load", (void **)&l->load },
		{ "bpf_object__close", (void **)&l->close },
		{ "bpf_object__find_program_by_name", (void **)&l->find },
		{ "bpf_program__attach_iter", (void **)&l->attach },
		{ "bpf_link__pin", (void **)&l->pin },
		{ "bpf_link__fd", (void **)&l->link_fd },
		{ "bpf_link__destroy", (void **)&l->destroy },
		{ "libbpf_set_print", (void **)&l->set_print },
		{ "bpf_iter_create", (void **)&l->iter_create },
	};

	l->handle = dlopen("libbpf.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!l->handle)
		return -ELIBACC;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		*wanted[i].place = dlsym(l->handle, wanted[i].name);
		if (!*wanted[i].place)
			return -ELIBBAD;
	}
	l->set_print(NULL);
	return 0;
}

struct loaded {
	struct lib lib;
	struct bpf_object *object;
	struct bpf_link *link;
};

static void unload(struct loaded *l)
{
	if (l->link)
		l->lib.destroy(l->link);
	if (l->object)
		l->lib.close(l->object);
	if (l->lib.handle)
		dlclose(l->lib.handle);
}

static int load(struct loaded *l)
{
	int r = open_lib(&l->lib);
	struct bpf_program *program;

	if (r < 0)
		return r;
	errno = 0;
	l->object = l->lib.open_mem(
		task_iter_object, (size_t)(task_iter_object_end - task_iter_object), NULL);
	if (!l->object)
		return errno ? -errno : -ENOEXEC;
	r = l->lib.load(l->object);
	if (r < 0)
		return r;
	program = l->lib.find(l->object, "clade_tasks");
	l->link = program ? l->lib.attach(program, NULL) : NULL;
	return l->link ? 0 : errno ? -errno : -ENOEXEC;
}

int task_iter_load(void)
{
	struct loaded l = { 0 };
	int r = load(&l);

	if (r == 0) {
		r = l.lib.iter_create(l.lib.link_fd(l.link));
		if (r < 0)
			r = -errno;
	}
	/* the descriptor keeps program and link for as long as it is read */
	unload(&l);
	return r;
}

static int ensure_bpffs(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) < 0)
		return -errno;
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	return mount("bpf", "/sys/fs/bpf", "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0
		       ? -errno
		       : 0;
}

int task_iter_pin(gid_t group, const char **ret_step)
{
	struct loaded l = { 0 };
	int r;

	*ret_step = "mount a bpffs on /sys/fs/bpf";
	r = ensure_bpffs();
	if (r == 0) {
		*ret_step = "load the BPF program (it needs CAP_BPF, libbpf and a kernel with BTF)";
		r = load(&l);
	}
	if (r == 0) {
		*ret_step = "remove " TASK_ITER_PIN;
		r = task_iter_unpin();
	}
	if (r == 0) {
		*ret_step = "pin it at " TASK_ITER_PIN;
		if (mkdir("/sys/fs/bpf/clade", 0755) < 0)
			r = -errno;
	}
	if (r == 0)
		r = l.lib.pin(l.link, TASK_ITER_PIN);
	if (r == 0 && (chown(TASK_ITER_PIN, 0, group) < 0 || chmod(TASK_ITER_PIN, 0440) < 0)) {
		r = -errno;
		task_iter_unpin();
	}
	unload(&l);
	return r;
}
