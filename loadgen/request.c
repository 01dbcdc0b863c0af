#include "loadgen/request.h"

#include "common/mem.h"
#include "loadgen/random.h"
#include "loadgen/zipf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_LINES_MAX 100000
#define BODY_BYTES_MAX (64 << 20) /* the length has eight digits' room */

struct request {
	struct template head; /* request line and headers, up to Content-Length */
	struct template *bodies;
	size_t bodies_count;
	char *key_prefix;
	uint64_t keys, seed;
	uint64_t used; /* numbers of keys that earlier runs made */
	struct zipf zipf;
};

static const char record[] =
	"{\"id\":\"{{key}}\",\"name\":\"{{choice:Ada|Alan|Barbara|Dennis|Edsger|Frances|Grace|"
	"Hedy|Jean|John|Ken|Margaret|Niklaus|Radia|Rob|Tim}} {{choice:Allen|Bartik|Dijkstra|"
	"Hamilton|Hopper|Kernighan|Lamarr|Liskov|Lovelace|Perlman|Pike|Ritchie|Thompson|Turing|"
	"Wirth|de la "
	"Cruz}}\",\"age\":{{int:18-90}},\"occupation\":\"{{choice:engineer*4|teacher*3|"
	"nurse*3|electrician*2|painter|pilot|farmer|baker|judge|actor}}\"}";

static int add_body(struct request *r, const char *text, struct errmsg *msg)
{
	struct template_values values = {.key = ""};
	struct http_text rendered = {0};
	int err;

	r->bodies = mem_resize(r->bodies, r->bodies_count + 1, sizeof(*r->bodies));
	err = template_compile(&r->bodies[r->bodies_count], text, msg);
	r->bodies_count++;
	if (err != 0)
		return err;
	template_render(&r->bodies[r->bodies_count - 1], &values, &rendered);
	free(rendered.text);
	if (rendered.used > BODY_BYTES_MAX)
		return errmsg_set(msg, ERR_CONFIG, "option body: %zu bytes; at most %d",
			rendered.used, BODY_BYTES_MAX);
	return 0;
}

static int load_bodies(struct request *r, const char *path, struct errmsg *msg)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	if (!file)
		return errmsg_set(msg, ERR_CONFIG, "option body.file: cannot read %s: %s", path,
			strerror(errno));
	while (err == 0 && getline(&line, &room, file) >= 0) {
		line[strcspn(line, "\r\n")] = 0;
		if (r->bodies_count == BODY_LINES_MAX)
			err = errmsg_set(msg, ERR_CONFIG,
				"option body.file: %s has more than %d lines", path,
				BODY_LINES_MAX);
		else if (*line)
			err = add_body(r, line, msg);
	}
	free(line);
	fclose(file);
	if (err == 0 && r->bodies_count == 0)
		err = errmsg_set(msg, ERR_CONFIG, "option body.file: %s is empty", path);
	return err;
}

static bool has_header(const struct conf_list *headers, const char *name)
{
	for (size_t i = 0; i < headers->count; i++) {
		if (strncasecmp(headers->items[i], name, strlen(name)) == 0)
			return true;
	}
	return false;
}

static int compile_head(struct request *r, const struct request_plan *plan,
	const struct http_url *url, struct errmsg *msg)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	int err = 0;

	fprintf(out, "%s %s HTTP/1.1\r\n", plan->method, url->path);
	if (!has_header(plan->headers, "host:"))
		fprintf(out, "Host: %s\r\n", url->host);
	if (!has_header(plan->headers, "user-agent:"))
		fprintf(out, "User-Agent: wt-loadgen/%s\r\n", WT_VERSION);
	if (r->bodies_count && !has_header(plan->headers, "content-type:"))
		fprintf(out, "Content-Type: application/json\r\n");
	for (size_t i = 0; i < plan->headers->count; i++) {
		const char *header = plan->headers->items[i];

		if (!strchr(header, ':') || strpbrk(header, "\r\n"))
			err = errmsg_set(msg, ERR_CONFIG,
				"option header '%s': wanted 'Name: value' on one line", header);
		fprintf(out, "%s\r\n", header);
	}
	fclose(out);
	if (err == 0)
		err = template_compile(&r->head, text, msg);
	free(text);
	return err;
}

int request_open(struct request **made, const struct request_plan *plan,
	const struct http_url *url, struct errmsg *msg)
{
	struct request *r = mem_zero(1, sizeof(*r));
	bool bare = strcmp(plan->method, "GET") == 0 || strcmp(plan->method, "DELETE") == 0 ||
		    strcmp(plan->method, "HEAD") == 0;
	int err = 0;

	*made = r;
	r->keys = plan->keys;
	r->seed = plan->seed;
	r->key_prefix = mem_strdup(plan->key_prefix);
	if (strlen(plan->key_prefix) > REQUEST_KEY_BYTES - 24)
		return errmsg_set(msg, ERR_CONFIG, "option key.prefix: at most %d bytes",
			REQUEST_KEY_BYTES - 24);
	if (plan->keys && plan->skew > 0)
		zipf_init(&r->zipf, plan->keys, plan->skew);
	if (plan->body_file)
		err = load_bodies(r, plan->body_file, msg);
	else if (plan->body && *plan->body)
		err = add_body(r, plan->body, msg);
	else if (!plan->body && !bare)
		err = add_body(r, record, msg);
	return err ? err : compile_head(r, plan, url, msg);
}

void request_close(struct request *r)
{
	if (!r)
		return;
	template_release(&r->head);
	for (size_t i = 0; i < r->bodies_count; i++)
		template_release(&r->bodies[i]);
	free(r->bodies);
	free(r->key_prefix);
	free(r);
}

uint64_t request_key(const struct request *r, uint64_t sequence)
{
	uint64_t random = random_mix(random_mix(r->seed) + sequence);

	if (r->keys == 0)
		return r->used + sequence;
	if (r->zipf.skew > 0)
		return zipf_pick(&r->zipf, &random);
	return random_below(random_next(&random), r->keys);
}

void request_next_run(struct request *r, uint64_t made)
{
	r->used += made;
}

size_t request_key_text(const struct request *r, uint64_t key, char *buf)
{
	return (size_t)snprintf(
		buf, REQUEST_KEY_BYTES, "%s%llu", r->key_prefix, (unsigned long long)key);
}

void request_render(
	const struct request *r, const struct http_call *call, struct http_text *out)
{
	/* "Content-Length: " and eight digits' room, filled in when the body is known */
	static const char length[] = "Content-Length:        0\r\n\r\n";
	const size_t field = sizeof(length) - 1;
	char key[REQUEST_KEY_BYTES];
	struct template_values values = {
		.seed = r->seed, .sequence = call->sequence, .key = key};
	size_t body;

	values.key_bytes = request_key_text(r, call->key, key);
	template_render(&r->head, &values, out);
	if (r->bodies_count == 0) {
		http_text_add(out, "\r\n", 2);
		return;
	}
	http_text_add(out, length, field);
	body = out->used;
	template_render(&r->bodies[call->sequence % r->bodies_count], &values, out);
	for (size_t left = out->used - body, at = body - 5; left; left /= 10)
		out->text[at--] = (char)('0' + left % 10);
}
