#include "consumer/watch/page.h"

#include "common/mem.h"

#include <string.h>
#include <zlib.h>

#include "watch_page.h" /* made by consumer/watch/page/embed */

static const struct page_file files[] = {
	{"/", "text/html; charset=utf-8", page_index_html, sizeof(page_index_html)},
	{"/app.js", "text/javascript; charset=utf-8", page_app_js, sizeof(page_app_js)},
	{"/charts.js", "text/javascript; charset=utf-8", page_charts_js,
		sizeof(page_charts_js)},
	{"/style.css", "text/css; charset=utf-8", page_style_css, sizeof(page_style_css)},
	{"/icon.svg", "image/svg+xml", page_icon_svg, sizeof(page_icon_svg)},
	{"/chart.min.js", "text/javascript; charset=utf-8", page_chart_min_js,
		sizeof(page_chart_min_js)},
};

const struct page_file *page_find(const char *path, size_t length)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strlen(files[i].path) == length && memcmp(files[i].path, path, length) == 0)
			return &files[i];
	return NULL;
}

/* gzip says at its end how long the whole is, lowest byte first. */
static size_t plain_length(const struct page_file *file)
{
	const unsigned char *end = file->gzip + file->length;
	return (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 |
	       (size_t)end[-1] << 24;
}

char *page_plain(const struct page_file *file, size_t *length)
{
	z_stream z = {0};
	*length = plain_length(file);
	char *plain = mem_alloc(*length + 1);
	z.next_in = (z_const Bytef *)file->gzip;
	z.avail_in = (uInt)file->length;
	z.next_out = (Bytef *)plain;
	z.avail_out = (uInt)*length;
	inflateInit2(&z, 15 + 16); /* with gzip's head */
	inflate(&z, Z_FINISH);
	*length = z.total_out;
	inflateEnd(&z);
	return plain;
}
