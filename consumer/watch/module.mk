# The dashboard's files become build/gen/watch_page.h. Chart.js is Debian's (libjs-chart.js, MIT).
CHART_JS   ?= $(firstword $(wildcard /usr/share/javascript/chart.js/Chart.min.js \
	/usr/share/javascript/chart.js/chart.min.js) /usr/share/javascript/chart.js/Chart.min.js)
PAGE_FILES := $(addprefix consumer/watch/page/,index.html app.js charts.js style.css icon.svg)

$(CHART_JS):
	@echo "no $@: apt-get install libjs-chart.js (make deps does), or make CHART_JS=FILE" >&2
	@false

$(BUILD)/gen/watch_page.h: $(PAGE_FILES) $(CHART_JS) consumer/watch/page/embed
	@mkdir -p $(@D)
	consumer/watch/page/embed $(PAGE_FILES) $(CHART_JS) > $@.new && mv $@.new $@

$(BUILD)/obj/consumer/watch/page.o: $(BUILD)/gen/watch_page.h
