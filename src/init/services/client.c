/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of the control socket: `clade-init ctl WORDS`, and supervisorctl. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/conf.h"
#include "init/services/ctl_wire.h"
#include "init/services/services.h"

/* supervisorctl's exit codes */
enum { GENERIC = 1, INVALID = 2, REFUSED = 4, UNKNOWN = 4, NOT_THERE = 7 };

/* --- one request ----------------------------------------------------------------------------- */

/* A socket anybody could have put into /tmp is answered by root or by ourselves, or not spoken to.
 */
static bool is_trusted(int fd)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	       (who.uid == 0 || who.uid == geteuid());
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && is_trusted(fd))
		return fd;
	close(fd);
	return errno ? -errno : -EPERM;
}

static int connect_anywhere(const char *path)
{
	static const char *const places[] = { CTL_PLACES };
	int r = -ENOENT;

	errno = 0;
	if (path)
		return connect_to(path);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = connect_to(places[i]);

		if (fd >= 0)
			return fd;
		if (fd != -ENOENT)
			r = fd;
	}
	return r;
}

static bool read_all(int fd, char *to, size_t n)
{
	while (n) {
		ssize_t got = read(fd, to, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		n -= (size_t)got;
	}
	return true;
}

static void write_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t put = write(fd, data, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return;
		data += put;
		n -= (size_t)put;
	}
}

/* Shows the answer; the exit code it ends with, or 1 for none. */
static int show_answer(int fd)
{
	static char data[CTL_DATA_MAX];
	unsigned char head[CTL_HEAD];

	while (read_all(fd, (char *)head, sizeof(head))) {
		size_t n = (size_t)head[1] << 8 | head[2];

		if (n > sizeof(data) || !read_all(fd, data, n))
			break;
		if (head[0] == CTL_EXIT && n == 1)
			return (unsigned char)data[0];
		write_all(head[0] == CTL_ERR ? STDERR_FILENO : STDOUT_FILENO, data, n);
	}
	say("clade-init: it went away before it had answered", NULL, NULL, NULL);
	return GENERIC;
}

static bool send_words(int fd, char *const *words, int n)
{
	char request[CTL_REQUEST_MAX];
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		size_t word = strlen(words[i]) + 1;

		if (word == 1)
			continue;
		if (word > sizeof(request) - 1 - len) {
			say("clade-init: more than a request can hold", NULL, NULL, NULL);
			return false;
		}
		memcpy(request + len, words[i], word);
		len += word;
	}
	request[len++] = '\0';
	write_all(fd, request, len);
	return true;
}

static int ask(int fd, char *const *words, int n)
{
	return send_words(fd, words, n) ? show_answer(fd) : INVALID;
}

/* --- clade-init ctl -------------------------------------------------------------------------- */

static const char ctl_help[] =
	"Usage: clade-init ctl [--socket PATH] COMMAND [NAME...]\n\n"
	"  status [--json] [NAME...]        what each service does\n"
	"  start|stop|restart NAME...       a service, GROUP:*, or all\n"
	"  signal SIGNAL NAME...            to its main process\n"
	"  tail [-f|-BYTES] NAME [stderr]   what it wrote last\n"
	"  clear NAME...                    empty its log files\n"
	"  pid [NAME...]                    process numbers\n"
	"  reread, update [GROUP...]        read the configuration again; make it so\n"
	"  add|remove GROUP..., avail       a group of the configuration\n"
	"  stats                            counters\n"
	"  maintail [-f|-BYTES]             what clade-init itself wrote\n"
	"  reload, shutdown                 stop all and begin again; stop all and end\n";

int client_main(int argc, char **argv)
{
	const char *path = NULL;
	int at = 2, fd, code;

	if (at + 1 < argc && strcmp(argv[at], "--socket") == 0) {
		path = argv[at + 1];
		at += 2;
	}
	if (at >= argc || strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0 ||
		strcmp(argv[at], "help") == 0) {
		write_all(
			at >= argc ? STDERR_FILENO : STDOUT_FILENO, ctl_help, sizeof(ctl_help) - 1);
		return at >= argc ? INVALID : 0;
	}
	fd = connect_anywhere(path);
	if (fd < 0) {
		say("clade-init: connect to ", path ? path : "its control socket", ": ",
			strerror(-fd));
		return strcmp(argv[at], "status") == 0 ? UNKNOWN : NOT_THERE;
	}
	code = ask(fd, argv + at, argc - at);
	close(fd);
	return code;
}

/* --- supervisorctl --------------------------------------------------------------------------- */

static struct {
	const char *config, *url, *prompt;
	const char *path; /* of the socket; NULL: our own places */
	bool interactive;
} client;

static void print_line(const char *a, const char *b)
{
	char text[512];
	struct buf line = BUF(text);

	text[0] = '\0';
	buf_add(&line, "%s%s\n", a, b);
	write_all(STDOUT_FILENO, text, line.len);
}

static bool read_line(char *line, size_t size);

/* fg: what the program writes is shown, what is typed goes to it. */
static int foreground(int fd, char **words)
{
	char line[CTL_REQUEST_MAX / 2], word[] = "stdin", *feed[] = { word, words[1], line };
	struct pollfd both[] = { { fd, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
	unsigned char head[CTL_HEAD];
	static char data[CTL_DATA_MAX];
	bool began = false; /* or it is refused, whatever is typed */

	while (poll(both, began ? 2 : 1, -1) >= 0 || errno == EINTR) {
		if (both[0].revents) {
			size_t n;

			if (!read_all(fd, (char *)head, sizeof(head)))
				break;
			n = (size_t)head[1] << 8 | head[2];
			if (n > sizeof(data) || !read_all(fd, data, n))
				break;
			if (head[0] == CTL_EXIT)
				return n ? (unsigned char)data[0] : GENERIC;
			write_all(STDOUT_FILENO, data, n);
			began |= n > 3 && strncmp(data, "==>", 3) == 0;
		} else if (both[1].revents) {
			int other, code = GENERIC;

			if (!read_line(line, sizeof(line)))
				break;
			other = connect_anywhere(client.path);
			if (other >= 0) {
				code = ask(other, feed, 3);
				close(other);
			}
			if (code) {
				print_line("Process got killed", "");
				break;
			}
		}
	}
	print_line("Exiting foreground", "");
	return 0;
}

static int one_command(char **words, int n)
{
	int fd, code;

	if (strcmp(words[0], "help") == 0) {
		write_all(STDOUT_FILENO, ctl_help, sizeof(ctl_help) - 1);
		return 0;
	}
	fd = connect_anywhere(client.path);
	if (fd < 0) {
		bool absent = fd == -ENOENT;

		print_line(client.url ? client.url : "unix:///run/clade-init.sock",
			absent		      ? " no such file"
			: fd == -ECONNREFUSED ? " refused connection"
					      : " cannot be connected to");
		if (strcmp(words[0], "status") == 0)
			return UNKNOWN;
		return absent ? NOT_THERE : fd == -ECONNREFUSED ? REFUSED : GENERIC;
	}
	if ((strcmp(words[0], "tail") == 0 || strcmp(words[0], "maintail") == 0) && n > 1 &&
		strcmp(words[1], "-f") == 0)
		print_line("==> Press Ctrl-C to exit <==", "");
	if (strcmp(words[0], "fg") == 0 && n == 2) {
		send_words(fd, words, n);
		code = foreground(fd, words);
	} else {
		code = ask(fd, words, n);
	}
	close(fd);
	return code;
}

/* Its words; what does not fit is not read as something else. */
static int split(char *line, char **words, int most)
{
	int n = 0;

	for (char *c = line; *(c += strspn(c, " \t\r\n")) && n < most;) {
		words[n++] = c;
		c += strcspn(c, " \t\r\n");
		if (*c)
			*c++ = '\0';
	}
	return n;
}

/* false: end of input */
static bool read_line(char *line, size_t size)
{
	size_t n = 0;
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1) {
		if (n + 1 < size)
			line[n++] = c;
		if (c == '\n')
			break;
	}
	line[n] = '\0';
	return n > 0;
}

static int converse(void)
{
	char line[CTL_REQUEST_MAX], *words[64], word[] = "status", *status[] = { word };

	one_command(status, 1);
	for (;;) {
		int n;

		write_all(STDOUT_FILENO, client.prompt, strlen(client.prompt));
		write_all(STDOUT_FILENO, "> ", 2);
		if (!read_line(line, sizeof(line))) {
			write_all(STDOUT_FILENO, "\n", 1);
			return 0;
		}
		n = split(line, words, 64);
		if (n && (strcmp(words[0], "exit") == 0 || strcmp(words[0], "quit") == 0))
			return 0;
		if (n)
			one_command(words, n);
	}
}

/* -1: go on, *ret_at is the first word of the command */
static int options(int argc, char **argv, int *ret_at)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		const char *word = argv[i], *value = NULL;
		char letter = word[1];
		static const struct {
			const char *name;
			char letter;
		} names[] = { { "--configuration", 'c' }, { "--help", 'h' },
			{ "--interactive", 'i' }, { "--serverurl", 's' }, { "--username", 'u' },
			{ "--password", 'p' }, { "--history-file", 'r' } };

		if (letter == '-') {
			size_t n = strcspn(word, "=");

			for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
				if (strlen(names[k].name) == n &&
					strncmp(names[k].name, word, n) == 0)
					letter = names[k].letter;
			value = word[n] ? word + n + 1 : NULL;
		} else if (word[2]) {
			value = word + 2;
		}
		if (letter == 'h') {
			write_all(STDOUT_FILENO, ctl_help, sizeof(ctl_help) - 1);
			return 0;
		}
		if (letter == 'i') {
			client.interactive = true;
			continue;
		}
		if (!strchr("csupr", letter) || (!value && i + 1 == argc)) {
			say("Error: option not recognized or without its argument: ", word, NULL,
				NULL);
			return INVALID;
		}
		if (!value)
			value = argv[++i];
		if (letter == 'c')
			client.config = value;
		else if (letter == 's')
			client.url = value;
		else if (letter == 'u' || letter == 'p' || letter == 'r')
			say("warning: ", word,
				" is not carried out: the socket's permissions say who may connect",
				NULL);
	}
	*ret_at = i;
	return -1;
}

static bool is_here(const char *url)
{
	return strncmp(url, "http://127.", 11) == 0 || strncmp(url, "http://localhost", 16) == 0;
}

int client_supervisorctl(int argc, char **argv)
{
	static struct conf conf;
	int at = 1, code = options(argc, argv, &at);

	if (code >= 0)
		return code;
	if (!client.config)
		client.config = services_default_config();
	client.prompt = "supervisor";
	conf.only_client = true;
	if (client.config) {
		if (!conf_load(&conf, client.config, true)) {
			say("Error: ", conf.error, NULL, NULL);
			return INVALID;
		}
		client.prompt = conf.set.prompt;
		if (!client.url)
			client.url = conf.set.serverurl;
	}
	if (client.url && strncmp(client.url, "unix://", 7) == 0) {
		client.path = client.url + 7;
	} else if (client.url && is_here(client.url)) {
		client.path = NULL; /* the socket that is there besides */
	} else if (client.url) {
		say("Error: ", client.url, ": only unix:// is carried out", NULL);
		return INVALID;
	}
	if (at < argc && !client.interactive)
		return one_command(argv + at, argc - at);
	if (at < argc)
		one_command(argv + at, argc - at);
	return converse();
}
