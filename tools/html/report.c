/* SPDX-License-Identifier: MIT */
/* The document around the sections. */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "html_assets.h"
#include "page.h"
#include "sha256.h"

/* Styles and script are named by their hashes: nothing else on the page can run or be fetched. */
static void head(struct html_page *page)
{
	char style[SHA256_BASE64_BYTES], script[SHA256_BASE64_BYTES], command[900];
	html_command(command, sizeof(command), wan_view_outcome(&page->analysis->view));
	sha256_base64(style, html_style, html_style_bytes);
	sha256_base64(script, html_script, html_script_bytes);
	html_print(page,
		   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		   "style-src 'sha256-%r'; script-src 'sha256-%r'; base-uri 'none'; form-action "
		   "'none'\"/>\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		   "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
		   "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
		   "<title>wanprof: %s</title>\n<style>",
		   style, script, command);
	wan_sink_put(&page->sink, html_style, html_style_bytes);
	html_print(page, "</style>\n</head>\n<body>\n");
}

static void navigation(struct html_page *page)
{
	html_print(page,
		   "<nav aria-label=\"sections\"><a href=\"#findings\">findings</a> <a "
		   "href=\"#timeline\">time line</a> <a href=\"#scaling\">size</a> <a "
		   "href=\"#latency\">latency</a> <a href=\"#cache\">cache</a> <a "
		   "href=\"#stacks\">stacks</a> <a href=\"#progress\">progress</a> <a "
		   "href=\"#memory\">memory</a> <a href=\"#coverage\">coverage</a>%r</nav>\n",
		   page->options->baseline ? " <a href=\"#comparison\">baseline</a>" : "");
}

int html_report_write(const struct wan_analysis *analysis, const struct html_options *options,
		      int (*write)(void *context, const void *bytes, size_t count), void *context)
{
	struct html_page *page = wan_calloc(1, sizeof(*page));
	if (!page)
		return -ENOMEM;
	page->analysis = analysis;
	page->options = options;
	wan_sink_init(&page->sink, write, context);
	int rc = wan_trackers_init(&page->trackers, &analysis->view);
	if (!rc)
		rc = wan_phases_init(&page->phases, &analysis->view, &page->trackers);
	if (!rc) {
		head(page);
		html_write_header(page);
		navigation(page);
		html_print(page, "<main>\n");
		html_write_findings(page);
		html_write_timeline(page);
		html_write_scaling(page);
		html_write_latency(page);
		html_write_cache(page);
		html_write_stacks(page);
		html_write_progress(page);
		html_write_memory(page);
		html_write_coverage(page);
		html_write_comparison(page);
		html_print(page, "</main>\n");
		html_write_footer(page);
		html_print(page, "<script>");
		wan_sink_put(&page->sink, html_script, html_script_bytes);
		html_print(page, "</script>\n</body>\n</html>\n");
		rc = wan_sink_finish(&page->sink);
	}
	wan_phases_finish(&page->phases);
	wan_trackers_finish(&page->trackers);
	wan_free(page);
	return rc;
}
