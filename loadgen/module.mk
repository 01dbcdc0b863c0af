# wt-loadgen: open-loop load over HTTP, latency from the intended start, and the lag it causes.
# TLS targets. Linked as needed: only wt-loadgen needs it.
MODULE_LIBS += -lssl -lcrypto
LOADGEN_SRC := $(filter-out loadgen/main.c,$(wildcard loadgen/*.c))
$(eval $(call library,loadgen,$(LOADGEN_SRC)))
ifneq ($(wildcard loadgen/main.c),)
$(eval $(call program,wt-loadgen,loadgen/main.c,loadgen common))
endif
# The report's page is linked in.
$(BUILD)/obj/loadgen/report_html.o: loadgen/report.html
