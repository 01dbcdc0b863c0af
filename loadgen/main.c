/*
 * wt-loadgen: open-loop HTTP load, latency from the intended start, and the lag it causes.
 *  1 options (options.def) and the scenario under them: a mistake is exit 64 (settings.c)
 *  2 the target, and the lag source, are tried once: one that is not there is exit 69
 *  3 session.c does the run, or the rounds, or the search
 *  4 the reports are written; the exit code says how it went
 * `wt-loadgen compare A.json B.json` reads reports instead (compare.c).
 */
#include "common/log.h"
#include "common/mem.h"
#include "loadgen/compare.h"
#include "loadgen/settings.h"
#include "loadgen/stop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static char *join_arguments(int argc, char **argv)
{
	char *text = mem_strdup("wt-loadgen");

	for (int i = 1; i < argc; i++) {
		bool plain = !strpbrk(argv[i], " <>{}|*&;'\"$");
		char *longer = mem_printf(plain ? "%s %s" : "%s '%s'", text, argv[i]);

		free(text);
		text = longer;
	}
	return text;
}

static int write_reports(
	const struct loadgen_options *o, const struct session *s, struct errmsg *msg)
{
	json_t *document = session_document(s);
	int err = 0;

	if (o->report_json)
		err = report_json(o->report_json, document, msg);
	if (err == 0 && o->report_html)
		err = report_html(o->report_html, s->runs, s->search, msg);
	json_decref(document);
	return err;
}

static int load(struct settings *g, const char *command, int *code, struct errmsg *msg)
{
	struct session session;
	int err = settings_make(g, msg);

	if (err == 0)
		err = settings_probe(g, msg);
	if (err != 0)
		return err;
	settings_session(g, command, &session);
	stop_catch();
	err = session_run(&session, msg);
	*code = session.code;
	if (json_array_size(session.runs)) {
		struct errmsg report = {""};
		int failed = write_reports(&g->options, &session, &report);

		if (err == 0 && failed) {
			*msg = report;
			err = failed;
		}
	}
	stop_release();
	session_release(&session);
	return err;
}

int main(int argc, char **argv)
{
	static struct settings g;
	struct errmsg msg = {""};
	int code = 0, err;

	err = conf_load(&g.options, &settings_program, argc, argv, &msg);
	if (err == CONF_RUN) {
		const struct conf_list *words = &g.options.conf.positional;
		char *command = join_arguments(argc, argv);

		log_setup((enum log_level)g.options.log_level,
			(enum log_format)g.options.log_format);
		signal(SIGPIPE, SIG_IGN);
		prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* wake up when asked, not 50 us later */
		if (g.options.print_scenario)
			err = settings_print_scenario(&g, stdout, &msg);
		else if (words->count && strcmp(words->items[0], "compare") == 0)
			err = compare_reports(words, g.options.report_html, stdout, &msg);
		else
			err = load(&g, command, &code, &msg);
		free(command);
	}
	if (err < 0) {
		fprintf(stderr, "wt-loadgen: %s\n", msg.text);
		code = err_exit_code(err);
	}
	settings_release(&g);
	return code;
}
