# wt-consumer: a folder per question (docs/architecture.md); verbs/ has main.
CONSUMER_SRC := $(filter-out consumer/verbs/main.c,$(wildcard consumer/*.c consumer/*/*.c))
$(eval $(call library,consumer,$(CONSUMER_SRC)))
ifneq ($(wildcard consumer/verbs/main.c),)
$(eval $(call program,wt-consumer,consumer/verbs/main.c,consumer common))
endif
# Redis over TLS where hiredis has it (1.x); without it redis.tls is refused with words.
ifeq ($(shell pkg-config --exists hiredis_ssl && echo yes),yes)
MODULE_CFLAGS += -DWT_REDIS_TLS $(shell pkg-config --cflags hiredis_ssl)
MODULE_LIBS   += $(shell pkg-config --libs hiredis_ssl)
endif
