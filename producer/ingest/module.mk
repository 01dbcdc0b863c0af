# wt-ingest: files and generated rows into Kafka and files (docs/ingest.md).
# libavro writes the Avro container; zlib and zstd read compressed sources and compress Parquet
# pages, as snappy does; libyaml reads a YAML or JSON configuration.
INGEST_SRC := $(filter-out producer/ingest/main.c,$(wildcard producer/ingest/*.c))
MODULE_LIBS += -lavro -lz -lzstd -lsnappy -lyaml
$(eval $(call library,ingest,$(INGEST_SRC)))
$(eval $(call program,wt-ingest,producer/ingest/main.c,ingest common))
