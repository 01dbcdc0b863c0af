#!/bin/bash
# shellcheck disable=SC2086 # options, separated by blanks
exec java -cp '/opt/kafka/libs/*' ${KAFKA_HEAP_OPTS:-} -XX:TieredStopAtLevel=1 \
	org.apache.kafka.tools.TopicCommand "$@"
