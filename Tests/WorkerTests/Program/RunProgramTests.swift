import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: ServerWorld.isThere)) struct RunProgramTests {
  /// The port that the worker logged.
  private static func port(_ files: Program.Files) -> UInt16? {
    files.errors.firstMatch(of: /"health is served".*"port":(\d+)/).flatMap { UInt16($0.1) }
  }

  private static func get(_ path: String, _ files: Program.Files) async -> LoopbackHTTP.Answer? {
    guard let port = port(files) else { return nil }
    return await LoopbackHTTP(port: port).get(path)
  }

  private static func end(_ process: Process) async -> Int32? {
    process.terminate()
    let ended = await eventually(within: .seconds(30)) { !process.isRunning }
    if !ended { kill(process.processIdentifier, SIGKILL) }
    return ended ? process.terminationStatus : nil
  }

  @Test func aCommandIsAnsweredItsEventIsWatchedAndTheWorkerStopsWith0() async throws {
    try await ServerWorld.with { world async throws in
      let (worker, watcher) = (try Program.Files(), try Program.Files())
      defer { [worker, watcher].forEach { $0.remove() } }
      let process = try world.start("run", files: worker)
      let watch = try world.start("watch", "order.*", files: watcher)
      #expect(await eventually { watcher.errors.contains("watching") })
      #expect(await eventually(within: .seconds(60)) { await Self.get("/health/ready", worker)?.status == 200 })
      #expect(await Self.get("/health/live", worker)?.status == 200)
      #expect(try await world.run("stock", "set", "p", "10").code == 0)

      let body = #"{"customer_id":"c","currency":"USD","items":[{"product_id":"p","quantity":2,"unit_price":29.99}]}"#
      let accepted = try await world.run("send", "order.create", "-", "--wait", "--id", "m-1", input: body)
      #expect(accepted.code == 0)
      #expect(accepted.output.contains(#""outcome":"accepted""#))
      let repeated = try await world.run("send", "order.create", "-", "--wait", "--id", "m-1", input: body)
      #expect(repeated.code == 0 && repeated.output.contains(#""outcome":"duplicate""#))
      let short = try await world.run("send", "order.create", "-", "--wait", input: body.replacing(#""quantity":2"#, with: #""quantity":9"#))
      #expect(short.code == 1 && short.output.contains("out_of_stock"))
      let many = try await world.run("send", "order.create", "-", "--wait", "--count", "4", "--rate", "100", input: body)
      #expect(many.code == 0 && many.output.split(separator: "\n").count == 4)
      #expect(many.errors.contains("4 accepted"))

      #expect(await eventually { watcher.output.split(separator: "\n").count == 6 })
      #expect(watcher.output.contains("order.created") && watcher.output.contains("59.98 USD"))
      kill(watch.processIdentifier, SIGINT)
      #expect(await eventually { !watch.isRunning })
      #expect(watch.terminationStatus == 0)
      #expect(await Self.end(process) == 0)
      #expect(worker.errors.contains("AUTHENTICATION IS OFF"))
      #expect(worker.errors.contains("worker stopped"))
    }
  }

  @Test func anOrderIsShownAndItsCommandsAreCounted() async throws {
    try await ServerWorld.with { world async throws in
      let files = try Program.Files()
      defer { files.remove() }
      let process = try world.start("run", files: files)
      #expect(await eventually(within: .seconds(60)) { await Self.get("/health/ready", files)?.status == 200 })
      #expect(try await world.run("stock", "set", "p", "10").code == 0)
      let order = "6f1c2d3e-0000-4000-8000-00000000000a"
      let body = #"{"order_id":"\#(order)","customer_id":"carol","items":[{"product_id":"p","quantity":2,"unit_price":29.99}]}"#
      #expect(try await world.run("send", "order.create", "-", "--wait", input: body).code == 0)
      let move = #"{"order_id":"\#(order)","status":"cancelled","reason":"too late"}"#
      #expect(try await world.run("send", "order.update_status", "-", "--wait", input: move).code == 0)

      let card = try await world.run("get", order.uppercased())
      #expect(card.code == 0 && card.output.contains("carol") && card.output.contains("cancelled (version 2)") && card.output.contains("59.98 USD"))
      #expect(card.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
      let json = try await world.run("get", order, "--json")
      #expect(json.output.contains(#""customer_id":"carol""#) && json.output.contains(#""version":2"#))
      let history = try await world.run("history", order).output.split(separator: "\n")
      #expect(history.count == 3 && history[2].hasSuffix("too late"))
      #expect(try await world.run("list", "--customer", "carol").output.contains(order))
      #expect(try await world.run("list", "--customer", "carol", "--json").output.contains(#""next_cursor":null"#))
      #expect(try await world.run("send", "order.create", "-", "--wait", input: body.replacing("00a", with: "00c")).code == 0)
      let first = try await world.run("list", "--customer", "carol", "--limit", "1", "--json").output
      let page = try #require(try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any])
      let cursor = try #require(page["next_cursor"] as? String)
      #expect(try await world.run("list", "--customer", "carol", "--limit", "1", "--cursor", cursor).output.contains(order))
      let missing = try await world.run("get", "6f1c2d3e-0000-4000-8000-00000000000b")
      #expect(missing.code == 1 && missing.errors.contains("there is no order"))
      #expect(try await world.run("get", order, "--min-version", "9").code == 1)

      let metrics = try #require(await Self.get("/metrics", files)).text
      #expect(metrics.contains(#"orders_commands_total{type="order.create",outcome="accepted"} 2"#))
      #expect(metrics.contains(#"orders_commands_total{type="order.update_status",outcome="accepted"} 1"#))
      #expect(metrics.contains(#"orders_events_published_total{type="order.cancelled"} 1"#))
      #expect(metrics.contains(#"orders_dependency_up{name="postgres"} 1"#))
      #expect(await eventually { await Self.get("/metrics", files)?.text.contains(#"orders_in_status{status="pending"} 1"#) == true })
      #expect(await Self.end(process) == 0)
    }
  }

  @Test func whereNobodyAnswersAQueryThatIsSaid() async throws {
    try await ServerWorld.with { world async throws in
      let asked = try await world.run("get", "6f1c2d3e-0000-4000-8000-00000000000b", "--timeout", "1s")
      #expect(asked.code == 1 && asked.errors.contains("role queries"))
    }
  }

  @Test func whereSetUpIsMissingItWaitsUnreadyAndGoesOnWhenItIsThere() async throws {
    let world = ServerWorld()
    let files = try Program.Files()
    defer { files.remove() }
    let process = try world.start("run", "--redis-url", Stack.redisURL, files: files)
    #expect(await eventually(within: .seconds(30)) { await Self.get("/health/ready", files)?.text.contains("order-worker setup") == true })
    #expect(await Self.get("/health/ready", files)?.status == 503)
    // What is not waited for is shown as it is.
    #expect(await eventually { await Self.get("/health/ready", files)?.text.contains(#""name":"redis","state":"up""#) == true })
    #expect(try await world.run("setup").code == 0)
    #expect(await eventually(within: .seconds(60)) { await Self.get("/health/ready", files)?.status == 200 })
    #expect(await Self.end(process) == 0)
    try await world.remove()
  }

  @Test func itCanBeStoppedWhileItWaitsForSetUp() async throws {
    let files = try Program.Files()
    defer { files.remove() }
    let process = try ServerWorld().start("run", files: files)
    #expect(await eventually { files.errors.contains("not ready") })
    #expect(await Self.end(process) == 0)
  }

  @Test func aSecondSignalEndsItAtOnce() async throws {
    // A server that never answers holds the worker up, for as long as a try to connect may take.
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var tries: [Int32] = []
    defer { for descriptor in tries + [listener] { close(descriptor) } }
    #expect(listen(listener, 8) == 0)
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) } }
    let files = try Program.Files()
    defer { files.remove() }
    let url = "amqp://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/"
    let process = try Program.start(["run", "--amqp-url", url], environment: ServerWorld().environment, files: files)
    #expect(await eventually { files.errors.contains("health is served") })
    // Up to here it may have taken long: only a try that is new holds it for long enough.
    while case let earlier = accept(listener, nil, nil), earlier >= 0 { close(earlier) }
    #expect(
      await eventually {
        let new = accept(listener, nil, nil)
        if new >= 0 { tries.append(new) }
        return new >= 0
      })
    kill(process.processIdentifier, SIGTERM)
    #expect(await eventually { files.errors.contains("stop requested") })
    kill(process.processIdentifier, SIGTERM)
    #expect(await eventually(within: .seconds(2)) { !process.isRunning })
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 128 + SIGTERM)
  }

  @Test func aPortThatIsTakenEndsItWith1() async throws {
    try await ServerWorld.with { world async throws in
      let files = try Program.Files()
      defer { files.remove() }
      let first = try world.start("run", files: files)
      #expect(await eventually { Self.port(files) != nil })
      let second = try await world.run("run", "--http-port", "\(Self.port(files) ?? 0)")
      #expect(second.code == 1)
      #expect(second.errors.contains("health cannot be served") && second.errors.contains(#""error":"Address already in use""#))
      #expect(await Self.end(first) == 0)
    }
  }

  @Test func withoutAWorkerSendGivesUpWaiting() async throws {
    try await ServerWorld.with { world async throws in
      let result = try await world.run("send", "order.create", "-", "--wait", "--timeout", "500ms", input: "{}")
      #expect(result.code == 1)
      #expect(result.errors.contains("no reply to 1 of 1 messages within 500ms"))
    }
  }

  @Test func withoutAnExchangeSendSaysSetup() async throws {
    let result = try await ServerWorld().run("send", "order.create", "-", "--timeout", "3s", input: "{}")
    #expect(result.code == 1)
    #expect(result.errors.contains("order-worker setup"))
  }

  @Test func aSignalMakesARunningWorkerTalkativeAndAnotherSetsItBack() async throws {
    try await ServerWorld.with { world async throws in
      let files = try Program.Files()
      defer { files.remove() }
      let process = try world.start("run", files: files)
      #expect(await eventually(within: .seconds(60)) { files.errors.contains("health is served") })
      kill(process.processIdentifier, SIGUSR1)
      #expect(await eventually { files.errors.contains(#""message":"the log level is changed","logger":"worker","now":"debug""#) }, "\(files.errors)")
      kill(process.processIdentifier, SIGUSR2)
      #expect(await eventually { files.errors.contains(#""message":"the log level is changed","logger":"worker","now":"info""#) }, "\(files.errors)")
      #expect(await Self.end(process) == 0)
    }
  }
}
