#include "producer/ingest/options.h"

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

int ingest_options_load(
	struct ingest_options *options, int argc, char **argv, struct errmsg *msg)
{
	int err = conf_load(options, &ingest_program, argc, argv, msg);

	if (err != CONF_RUN)
		return err;
	options->paths = options->conf.positional;
	if (options->paths.count > 0) {
		options->paths.items++;
		options->paths.count--;
	}
	return CONF_RUN;
}
