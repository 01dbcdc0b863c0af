# wt-producer: HTTP -> Kafka.
PRODUCER_HTTP_SRC := $(filter-out producer/http/main.c,$(wildcard producer/http/*.c))
$(eval $(call library,producer_http,$(PRODUCER_HTTP_SRC)))
$(eval $(call program,wt-producer,producer/http/main.c,producer_http common))
# The description is embedded (pages.c).
$(BUILD)/obj/producer/http/pages.o: producer/http/openapi.json
