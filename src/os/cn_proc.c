/* SPDX-License-Identifier: Apache-2.0 */
#include "os/cn_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>

#include "base/fd.h"
#include "os/ns.h"

enum { RECEIVE_BUFFER = 8 << 20, DATAGRAM_MAX = 512, AT_ONCE = 64 };

/* The kernel's constants are an enum here and there, by version: by number they always fit. */
#define WHAT_FORK 0x00000001u
#define WHAT_EXEC 0x00000002u
#define WHAT_EXIT 0x80000000u

/* Two structures that each end in a variable part, one after the other in a datagram: laid out by
 * hand. */
static int subscribe(int fd)
{
	enum { MESSAGE_SIZE = sizeof(struct cn_msg) + sizeof(enum proc_cn_mcast_op) };
	_Alignas(struct nlmsghdr) uint8_t ask[NLMSG_SPACE(MESSAGE_SIZE)] = { 0 };
	struct nlmsghdr *header = (struct nlmsghdr *)ask;
	struct cn_msg *message = NLMSG_DATA(header);
	enum proc_cn_mcast_op op = PROC_CN_MCAST_LISTEN;

	header->nlmsg_len = NLMSG_LENGTH(MESSAGE_SIZE);
	header->nlmsg_type = NLMSG_DONE;
	message->id.idx = CN_IDX_PROC;
	message->id.val = CN_VAL_PROC;
	message->len = sizeof(op);
	memcpy(message->data, &op, sizeof(op));
	return send(fd, ask, header->nlmsg_len, 0) < 0 ? -errno : 0;
}

/*
 * The kernel ignores who asks from elsewhere (cn_proc_mcast_ctl()), without a word; what others
 * asked for is heard there all the same, with PIDs that mean somebody else.
 */
static bool is_initial(enum ns_kind kind, uint64_t initial)
{
	autofd self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t inode;

	return self < 0 || ns_inode_of(self, kind, &inode) < 0 || inode == initial;
}

int cn_proc_open(void)
{
	/* linux/nsfs.h: PID_NS_INIT_INO, USER_NS_INIT_INO; the same since Linux 3.8 */
	const uint64_t initial_pid = 0xEFFFFFFC, initial_user = 0xEFFFFFFD;
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	autofd fd =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
	int size = RECEIVE_BUFFER, r;

	if (fd < 0)
		return -errno;
	if (!is_initial(NS_PID, initial_pid) || !is_initial(NS_USER, initial_user))
		return -EPERM;
	/* as large as we may have it; a smaller one only loses sooner, which is noticed */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	r = subscribe(fd);
	return r < 0 ? r : take_fd(&fd);
}

static void check_sequence(struct cn_sequence *seq, uint32_t cpu, uint32_t number, uint64_t *lost)
{
	if (cpu >= CN_CPUS_MAX)
		return;
	if (seq->known[cpu] && number != seq->next[cpu])
		*lost += (uint32_t)(number - seq->next[cpu]);
	seq->known[cpu] = 1;
	seq->next[cpu] = number + 1;
}

/* What concerns a process as a whole; 0 for a thread's own event or another kind. */
static int translate(const struct proc_event *p, struct cn_event *ret)
{
	switch ((uint32_t)p->what) {
	case WHAT_FORK:
		*ret = (struct cn_event){ CN_FORK, p->event_data.fork.child_tgid,
			p->event_data.fork.parent_tgid, 0, p->timestamp_ns };
		return p->event_data.fork.child_pid == p->event_data.fork.child_tgid;
	case WHAT_EXEC:
		*ret = (struct cn_event){ CN_EXEC, p->event_data.exec.process_tgid, 0, 0,
			p->timestamp_ns };
		return 1;
	case WHAT_EXIT:
		*ret = (struct cn_event){ CN_EXIT, p->event_data.exit.process_tgid,
			p->event_data.exit.parent_tgid, (int)p->event_data.exit.exit_code,
			p->timestamp_ns };
		return p->event_data.exit.process_pid == p->event_data.exit.process_tgid;
	default:
		return 0;
	}
}

/* One datagram: only the kernel's own word, and whole. Adds an event to ret, or not. */
static size_t take(const char *b, size_t len, const struct sockaddr_nl *from,
	struct cn_sequence *seq, struct cn_event *ret, uint64_t *lost)
{
	const struct cn_msg *message = NLMSG_DATA((const struct nlmsghdr *)b);
	struct proc_event event = { 0 };

	if (from->nl_pid != 0 || len < NLMSG_LENGTH(sizeof(*message)) ||
		message->id.idx != CN_IDX_PROC || message->ack != 0 ||
		len < NLMSG_LENGTH(sizeof(*message)) + message->len)
		return 0;
	memcpy(&event, message->data, message->len < sizeof(event) ? message->len : sizeof(event));
	check_sequence(seq, event.cpu, message->seq, lost);
	return translate(&event, ret) ? 1 : 0;
}

ssize_t cn_proc_read(
	int fd, struct cn_sequence *seq, struct cn_event *ret, size_t max, uint64_t *lost)
{
	size_t n = 0;

	while (n < max) {
		_Alignas(8) char b[AT_ONCE][DATAGRAM_MAX];
		struct sockaddr_nl from[AT_ONCE];
		struct iovec iov[AT_ONCE];
		struct mmsghdr m[AT_ONCE] = { 0 };
		unsigned wanted = max - n < AT_ONCE ? (unsigned)(max - n) : AT_ONCE;
		int got;

		for (unsigned i = 0; i < wanted; i++) {
			from[i] = (struct sockaddr_nl){ 0 };
			iov[i] = (struct iovec){ b[i], sizeof(b[i]) };
			m[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
				.msg_namelen = sizeof(from[i]),
				.msg_iov = &iov[i],
				.msg_iovlen = 1 };
		}
		got = recvmmsg(fd, m, wanted, MSG_DONTWAIT, NULL);
		if (got < 0 && errno == ENOBUFS) {
			++*lost; /* how many, the next sequence number tells */
			continue;
		}
		if (got < 0)
			return errno == EAGAIN || errno == EINTR ? (ssize_t)n : -errno;
		for (int i = 0; i < got; i++)
			n += take(b[i], m[i].msg_len, &from[i], seq, &ret[n], lost);
		if ((unsigned)got < wanted)
			break;
	}
	return (ssize_t)n;
}
