# The worker, built with the Swift toolchain and run without it: no root, nothing written to its file system. Needs BuildKit, Docker's own since 23.
#   docker build -t order-worker:dev .
#   docker build --pull --no-cache-filter runtime --build-arg VERSION=1.2.3 --build-arg REVISION="$(git rev-parse HEAD)" -t order-worker:1.2.3 .
# Both stages are of one Debian release: the C libraries that are linked are those that run.
ARG SWIFT_VERSION=6.3.1
ARG DEBIAN=bookworm

FROM swift:${SWIFT_VERSION}-${DEBIAN} AS build
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends libhiredis-dev libpq-dev librabbitmq-dev libssl-dev pkg-config \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Tests and benchmarks are not built, but the package does not load without their folders.
COPY . .
# What was fetched and compiled stays in caches of the builder: only what has changed is built anew, and none of it is a layer.
# Debug information would be a third of the image, and have a crashed worker write its stack trace for half a minute instead of at once.
RUN --mount=type=cache,target=/root/.cache,sharing=locked --mount=type=cache,target=/src/.build,sharing=locked \
  swift build -c release --product order-worker --static-swift-stdlib \
  && install -D -t /out/bin "$(swift build -c release --static-swift-stdlib --show-bin-path)/order-worker" \
  && install -d /symbols && objcopy --only-keep-debug /out/bin/order-worker /symbols/order-worker.debug \
  && strip --strip-debug /out/bin/order-worker \
  && install -D -t /out/libexec /usr/libexec/swift/linux/swift-backtrace-static

# Files and lines for the addresses in its stack traces: docker build --target symbols --output symbols .
FROM scratch AS symbols
COPY --from=build /symbols/ /

FROM debian:${DEBIAN}-slim AS runtime
# Not pinned: each build takes the release's security fixes, those of what the base image brings, too.
# hadolint ignore=DL3005,DL3008
RUN apt-get update \
  && apt-get upgrade -y \
  && apt-get install -y --no-install-recommends ca-certificates libhiredis0.14 libpq5 librabbitmq4 libssl3 libstdc++6 \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/ /usr/local/
# A crash leaves a stack trace on standard error, beside the log. Health is served to whoever can reach the container.
ENV SWIFT_BACKTRACE=enable=yes,interactive=no,color=no,swift-backtrace=/usr/local/libexec/swift-backtrace-static \
  ORDERS_HTTP_HOST=0.0.0.0
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["order-worker"]
CMD ["run"]
# Alive, not ready: a worker whose database is away does right to wait, and must not be restarted for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["order-worker", "health", "--path", "/health/live"]
# Last, since each build changes them.
ARG VERSION=development
ARG REVISION=unknown
LABEL org.opencontainers.image.title="order-worker" \
  org.opencontainers.image.description="Takes orders from RabbitMQ, keeps them in PostgreSQL, and tells what became of them in events" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
