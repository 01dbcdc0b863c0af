#include "producer/ingest/options.h"

#include "common/conf_value.h"
#include "producer/ingest/config_file.h"

#include <sys/mman.h>
#include <unistd.h>

#define OPTION(...) CONF_ROW(struct ingest_options, __VA_ARGS__)
static const struct conf_option rows[] = {
#include "common/options.def"
#include "producer/ingest/options.def"
};
#undef OPTION

static const char more[] =
	"Sources\n"
	"  lines PATH|GLOB|-   a line is a record, bytes as they are; gzip and zstd are "
	"understood\n"
	"  csv PATH|GLOB|-     a row is a JSON object with the columns' names and types\n"
	"  generate            made-up rows: --shape message|users, or --template FILE\n"
	"  bench-produce       three ways to learn of an acknowledgement, timed\n"
	"\n"
	"Without --to the records go to kafka:TOPIC. A Kafka record counts when all in-sync "
	"replicas\n"
	"have it. A file has the name NAME.part until it is whole.\n"
	"\n"
	"Examples\n"
	"  wt-ingest csv users.csv --to kafka:users --key id --columns id:string\n"
	"  wt-ingest lines '/var/log/app/*.log.gz' --to kafka:logs --checkpoint logs.ckpt\n"
	"  wt-ingest generate --count 1000000 --to parquet:rows.parquet --to csv:rows.csv\n"
	"  wt-ingest generate --shape users --keys 20000 --count 100000 --to kafka:users\n"
	"\n"
	"Exit codes: 0 done, 64 usage, configuration or a bad row, 69 a broker or topic is not "
	"there,\n"
	"74 a file, 75 stopped before the end of the input, 77 refused.\n";

const struct conf_program ingest_program = {
	.name = "wt-ingest",
	.summary = "Files and generated rows into Kafka and into files.",
	.usage = "SOURCE [PATH...] [--to SINK]... [OPTIONS]",
	.more = more,
	.options = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

/* The lines as a file that conf_load() can open; it lives as long as the process. */
static char *as_file(const struct buf *lines)
{
	int fd = memfd_create("config", 0);

	if (fd < 0 ||
		write(fd, lines->data ? lines->data : "", lines->used) != (ssize_t)lines->used)
		return NULL;
	return mem_printf("/proc/self/fd/%d", fd);
}

struct rewritten {
	char **argv;
	int argc;
	char *source; /* implied by a file, or NULL */
	bool no_kafka; /* said by a file */
	const char *file; /* the last YAML file, for messages */
};

static int rewrite_one(struct rewritten *r, const char *path, struct errmsg *msg)
{
	struct buf lines = {0};
	struct config_said said;
	char *as;
	int err = config_file_read(path, &ingest_program, &lines, &said, msg);

	if (err == 0) {
		as = as_file(&lines);
		if (!as)
			err = errmsg_set(msg, ERR_IO, "option config: no memory file");
		else
			r->argv[r->argc++] = mem_printf("--config=%s", as);
		free(as);
	}
	if (said.source) {
		free(r->source);
		r->source = said.source;
	}
	r->no_kafka = r->no_kafka || said.no_kafka;
	r->file = path;
	buf_release(&lines);
	return err;
}

/* --config x.yaml becomes --config of the same as name=value lines. */
static int rewrite(struct rewritten *r, int argc, char **argv, struct errmsg *msg)
{
	int err = 0;

	r->argv = mem_zero((size_t)argc + 2, sizeof(char *));
	for (int i = 0; err == 0 && i < argc; i++) {
		const char *path = NULL;

		if (strncmp(argv[i], "--config=", 9) == 0)
			path = argv[i] + 9;
		else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
			path = argv[i + 1];
		if (!path || !config_file_is_ours(path)) {
			r->argv[r->argc++] = mem_strdup(argv[i]);
			continue;
		}
		err = rewrite_one(r, path, msg);
		i += argv[i][8] != '=';
	}
	return err;
}

int ingest_options_load(
	struct ingest_options *options, int argc, char **argv, struct errmsg *msg)
{
	struct rewritten r = {0};
	int err = rewrite(&r, argc, argv, msg);

	if (err == 0) {
		err = conf_load(options, &ingest_program, r.argc, r.argv, msg);
		if (err < 0 && strstr(msg->text, "/proc/self/fd/"))
			errmsg_wrap(msg, "%s", r.file);
	}
	if (err == CONF_RUN && r.no_kafka && options->to.count == 0)
		err = errmsg_set(msg, ERR_CONFIG,
			"%s: kafka.enabled is false, and there is no other output: name one "
			"with output.format or --to",
			r.file);
	if (err == CONF_RUN && r.source && options->conf.positional.count == 0)
		conf_list_add(&options->conf.positional, r.source);
	for (int i = 0; i < r.argc; i++)
		free(r.argv[i]);
	free(r.argv);
	free(r.source);
	if (err != CONF_RUN)
		return err;
	options->paths = options->conf.positional;
	if (options->paths.count > 0) {
		options->paths.items++;
		options->paths.count--;
	}
	return CONF_RUN;
}
