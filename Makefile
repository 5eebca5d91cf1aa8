SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run dev test stack stack-stop build release check simulation lint schemas tsan asan acceptance chaos autoscale upgrade failpoints sabotage cluster outages matrix bench hang k8s k8s-check image-root fuzz sbom clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## servers, worker, sample orders and their events; Ctrl-C ends it all
	@scripts/run

dev: run ## the same as run

test: ## the gate: everything that must pass before a change goes in
	@scripts/test all

check: ## a quick look while editing: domain and application tests, no servers, no other packages
	@scripts/test check

simulation: ## 10,000 schedules of workers, servers and faults in memory, each checked against the guarantees (SIMULATION_SEEDS=n)
	@scripts/test simulation

stack: ## start private PostgreSQL, Redis and RabbitMQ in .local/stack, and print their addresses
	@scripts/stack start && scripts/stack env

stack-stop: ## stop them
	@scripts/stack stop

build: ## the executable, for debugging
	@scripts/packages build
	swift build --product order-worker

release: ## the executable, optimised
	@scripts/packages build
	swift build -c release --product order-worker

lint: ## format, shell scripts, and no layer that reaches outward
	@scripts/lint

schemas: ## schemas, examples, and 10,000 generated messages on which schemas and worker must agree
	@scripts/schemas

tsan: ## domain, application and client tests under the thread sanitizer
	@scripts/test tsan

asan: ## the same under the address sanitizer
	@scripts/test asan

acceptance: ## 20,000 orders sent twice each to three workers, also with workers killed
	@scripts/test acceptance

cluster: ## three RabbitMQ nodes killed in turn, and PostgreSQL's failover, while 50,000 commands flow
	@scripts/test cluster

outages: ## RabbitMQ, PostgreSQL and both away for two minutes each: nothing counted, nothing lost, back at work at once
	@scripts/test outages

matrix: ## the tests that need servers, on RabbitMQ 4, PostgreSQL 17 and Redis 8 of a newer Debian
	@scripts/matrix

chaos: ## 200 faults of all kinds under 100,000 commands, then everything that was seen against the database; CHAOS_SEED repeats a run
	@scripts/test chaos

autoscale: ## load doubles and halves, and real workers come and go by the rule of KEDA; about 9 minutes
	@scripts/autoscale

upgrade: ## the previous version and this one side by side under load, forward, back and forward again; ORDER_WORKER_PREVIOUS or PREVIOUS=commit
	@scripts/test upgrade

failpoints: ## a worker that dies or stands still at each named point of its work, in a build of its own
	@scripts/test failpoints

sabotage: ## the worker broken on purpose in six ways, each of which a chaos run must find
	@scripts/sabotage

bench: ## workload W on a release build: rate, CPU and memory, three rounds
	@scripts/bench

hang: ## a payment provider that hangs for a minute: rates, breaker and payments on a release build
	@scripts/hang

k8s: ## write k8s/order-worker.yaml anew from its overlay
	@scripts/k8s-check render

k8s-check: ## render the Kubernetes manifests; hold them, Compose file and Dockerfile against schemas and the worker
	@scripts/k8s-check

image-root: ## the Dockerfile's steps in clean roots of Debian, without an engine, and the image's worker run there; takes root's rights
	@scripts/image-root

fuzz: ## made-up inputs for every decoder of foreign bytes, FUZZ_SECONDS (60) each, in a build of its own
	@scripts/fuzz

sbom: ## what the release executable is made of: .local/sbom.cdx.json (CycloneDX), checked against the pins
	@scripts/sbom

.PHONY: monitoring
monitoring: ## Prometheus and Alertmanager over workers: every alert by its cause, every query of the dashboards; 20 minutes
	@scripts/monitoring

clean: ## remove what was built, and the local servers with their data
	@scripts/stack remove
	rm -rf .build .build-* .local
