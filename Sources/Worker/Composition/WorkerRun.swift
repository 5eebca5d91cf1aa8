import Application
import ClientRuntime
import Glibc
import Logging
import Operations

/// One life of the worker, from its first log line to its exit code: health, signals, set-up, work, drain.
struct WorkerRun: Sendable {
  private let configuration: Configuration
  private let log: Logger
  private let health: HealthRegistry
  private let signals: ShutdownSignals

  init(_ configuration: Configuration) {
    let log = Logger(label: "worker")
    self.configuration = configuration
    self.log = log
    signals = ShutdownSignals()
    var unused: Set<DependencyName> = [.payment, .inventory]
    if configuration[.redisURL] == nil { unused.insert(.redis) }
    health = HealthRegistry(
      unused: unused,
      onChange: { [signals] change in
        // Connections end when the worker does.
        log.log(
          level: signals.hasArrived ? .debug : change.state == .up ? .notice : .warning, "a dependency's state changed",
          metadata: [
            LogKey.dependency: "\(change.name.rawValue)", LogKey.state: "\(change.state.rawValue)", LogKey.detail: "\(change.detail ?? "")",
          ])
      })
  }

  /// Returns the process's exit code.
  func run() async -> Int32 {
    announce()
    let server = OperatorServer(health: health, host: configuration[.httpHost], port: configuration[.httpPort], log: log)
    return await withTaskGroup(of: Int32?.self) { group in
      group.addTask {
        do {
          try await server.run()
          return nil
        } catch {
          log.critical(
            "health cannot be served",
            metadata: [LogKey.host: "\(configuration[.httpHost])", LogKey.port: .stringConvertible(configuration[.httpPort]), LogKey.error: "\(error)"])
          return ProgramExit.failed
        }
      }
      group.addTask { await work() }
      defer { group.cancelAll() }
      // The server ends by itself only where it fails.
      for await code in group where code != nil { return code! }
      return ProgramExit.failed
    }
  }

  private func announce() {
    for warning in configuration.warnings { log.warning("a setting looks mistaken", metadata: [LogKey.detail: "\(warning)"]) }
    if configuration[.auth] == .off {
      log.warning("AUTHENTICATION IS OFF: every sender has all rights, as anonymous of the tenant default. Never run like this in production")
    }
    log.notice("worker starts", metadata: ["roles": "\(configuration[.roles].map(\.rawValue).joined(separator: ","))", "pid": .stringConvertible(getpid())])
  }

  private func work() async -> Int32 {
    let stop = Task { await stopRequested() }
    guard await SetupWatch(configuration, health: health, log: log, shouldStop: { signals.hasArrived }).untilReady() else {
      log.notice("worker stopped before it began")
      return 0
    }
    let composition: WorkerComposition
    do {
      composition = try WorkerComposition(WorkerSettings(configuration), logger: log) { health.set($0, $1) }
    } catch {
      log.critical("the worker cannot be put together", metadata: [LogKey.error: "\(error)"])
      return ProgramExit.wrongConfiguration
    }
    let draining = Task {
      await stop.value
      await composition.drain()
    }
    let report = await composition.run()
    draining.cancel()
    log.notice(
      "worker stopped", metadata: ["settled": .stringConvertible(report.settled), "returned": .stringConvertible(report.returned)])
    return 0
  }

  /// Returns at the first signal, after which the time to drain runs.
  private func stopRequested() async {
    let signal = await signals.wait()
    health.setStopping()
    let limit = configuration[.drainTimeout]
    log.notice(
      "stop requested: work in hand is finished", metadata: [LogKey.signal: "\(ShutdownSignals.name(signal))", LogKey.timeout: "\(DurationText.format(limit))"])
    Task {
      try await Task.sleep(for: limit)
      log.critical("work in hand did not finish in time; what is not acknowledged comes again", metadata: [LogKey.timeout: "\(DurationText.format(limit))"])
      exit(ProgramExit.failed)
    }
  }
}

extension HealthRegistry {
  /// As a connection's loop tells it, by the dependency's name.
  func set(_ name: String, _ state: ConnectionState) {
    guard let name = DependencyName(rawValue: name) else { return assertionFailure("no dependency is called \(name)") }
    switch state {
    case .connecting: set(name, .down, detail: "connecting")
    case .connected(let server): set(name, .up, detail: server)
    case .disconnected(let reason): set(name, .down, detail: reason)
    case .closed: set(name, .down, detail: "closed")
    }
  }
}
