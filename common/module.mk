# What two programs or more use; knows none of them.
COMMON_SRC := $(wildcard common/*.c)
$(eval $(call library,common,$(COMMON_SRC)))
