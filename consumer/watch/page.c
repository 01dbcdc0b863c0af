#include "consumer/watch/page.h"

#include <string.h>

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
