# wt-consumer: a folder per question (docs/architecture.md); verbs/ has main.
CONSUMER_SRC := $(filter-out consumer/verbs/main.c,$(wildcard consumer/*.c consumer/*/*.c))
$(eval $(call library,consumer,$(CONSUMER_SRC)))
ifneq ($(wildcard consumer/verbs/main.c),)
$(eval $(call program,wt-consumer,consumer/verbs/main.c,consumer common))
endif
