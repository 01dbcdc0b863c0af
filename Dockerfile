# One small image with all four programs. Works with the plain builder, too.
#   docker build -t writethrough .
#   docker run --rm writethrough wt-consumer --help
FROM debian:trixie-slim AS build
WORKDIR /src
# stack/packages says which package is for what; only a change of it installs them anew.
COPY stack/packages stack/packages
RUN apt-get update \
	&& apt-get install -y --no-install-recommends \
		$(awk '$2 == "build" { print $1 }' stack/packages) \
	&& rm -rf /var/lib/apt/lists/*
COPY . .
RUN make -j"$(nproc)" all \
	&& make install PREFIX=/usr/local DESTDIR=/out \
	&& strip /out/usr/local/bin/* \
	&& install -D -m 755 -t /out/usr/local/lib/writethrough \
		deploy/docker/dashboard deploy/docker/healthcheck deploy/docker/loadgen \
		deploy/docker/make-secrets

FROM debian:trixie-slim
RUN apt-get update \
	&& apt-get install -y --no-install-recommends ca-certificates \
		libavro24 libhiredis1.1.0 libjansson4 libmariadb3 librdkafka1 libsnappy1v5 libssl3t64 \
		libuv1t64 libyaml-0-2 libzstd1 socat zlib1g \
	&& rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*
COPY --from=build /out/usr/local/bin /usr/local/bin
COPY --from=build /out/usr/local/lib/writethrough /usr/local/lib/writethrough
COPY --from=build /out/usr/local/share/writethrough /usr/local/share/writethrough
# Every library is there; volumes mounted on these folders take their owner over.
RUN ! ldd /usr/local/bin/wt-* | grep 'not found' \
	&& useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin writethrough \
	&& install -d -o writethrough -g writethrough /secrets /root-secret

LABEL org.opencontainers.image.title="Writethrough" \
	org.opencontainers.image.description="HTTP and files into Kafka, from there into MySQL and Redis" \
	org.opencontainers.image.licenses="MIT" \
	org.opencontainers.image.version="0.1.0"
USER writethrough
EXPOSE 8080 8081
HEALTHCHECK --interval=2s --timeout=5s --retries=5 --start-period=90s \
	CMD ["/usr/local/lib/writethrough/healthcheck"]
CMD ["wt-consumer", "--help"]
