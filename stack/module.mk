# The local stack: real Kafka, MariaDB and Redis on loopback under RUN, and the pipeline on them.
RUN ?= run
export RUN

deps:
	@stack/deps

kafka-jars:
	@stack/kafka/fetch build/kafka-jars

up:
	@$(MAKE) $(JOBS) all kafka-jars
	@stack/up

down:
	@stack/down

status:
	@stack/status

demo: deps
	@$(MAKE) $(JOBS) all kafka-jars
	@stack/demo

clean-data:
	@stack/clean-data

.PHONY: deps kafka-jars up down status demo clean-data
