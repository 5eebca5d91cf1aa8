import Application
import ClientRuntime
import Glibc
import JWTAdapter
import Logging
import Operations
import Synchronization

/// One life of the worker, from its first log line to its exit code: health, signals, set-up, work, drain.
final class WorkerRun: Sendable {
  private let configuration: Configuration
  private let log: Logger
  private let health: HealthRegistry
  private let signals: ShutdownSignals
  private let metrics = WorkerMetrics()
  private let levels: LogLevelSwitch
  private let throttle: LogThrottle
  private let composition = Mutex<WorkerComposition?>(nil)

  init(_ configuration: Configuration, levels: LogLevelSwitch, throttle: LogThrottle) {
    let log = Logger(label: "worker")
    self.levels = levels
    self.throttle = throttle
    self.configuration = configuration
    self.log = log
    signals = ShutdownSignals()
    var unused: Set<DependencyName> = [.inventory]
    if configuration[.paymentProvider] == .none { unused.insert(.payment) }
    if configuration[.redisURL] == nil { unused.insert(.redis) }
    if configuration[.auth] == .off { unused.insert(.keys) }
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
    let counting = Task { await tellWhatIsLeftOut() }
    let switching = levels.listen { [log] level in log.notice("the log level is changed", metadata: ["now": "\(level.rawValue)"]) }
    metrics.add(ProcessMetrics.families() + health.gauges + [ProgramVersion.gauge])
    let server = OperatorServer(health: health, metrics: metrics, host: configuration[.httpHost], port: configuration[.httpPort], log: log)
    let serving = Task {
      do {
        try await server.run()
      } catch {
        log.critical(
          "health cannot be served",
          metadata: [LogKey.host: "\(configuration[.httpHost])", LogKey.port: .stringConvertible(configuration[.httpPort]), LogKey.error: "\(error)"])
        // Whatever is in hand comes again: an orchestrator that sees no health would end the worker just so.
        ProgramExit.leave(ProgramExit.failed)
      }
    }
    let code = await work()
    withExtendedLifetime(switching) {}
    counting.cancel()
    await counting.value
    serving.cancel()
    await serving.value
    return code
  }

  /// Every few seconds, and at the end.
  private func tellWhatIsLeftOut() async {
    var isOver = false
    while !isOver {
      try? await Task.sleep(for: .seconds(1))
      isOver = Task.isCancelled
      for line in throttle.leftOut(all: isOver) {
        var metadata: Logger.Metadata = ["of": "\(line.message)", LogKey.count: .stringConvertible(line.count)]
        metadata[LogKey.reason] = line.reason.map { "\($0)" }
        log.log(level: line.level, "lines of one sentence were left out", metadata: metadata)
      }
    }
  }

  private func announce() {
    for warning in configuration.warnings { log.warning("a setting looks mistaken", metadata: [LogKey.detail: "\(warning)"]) }
    for sentence in TransportExposure.sentences(configuration) {
      log.warning("a server is reached in a way that is not safe in production", metadata: [LogKey.detail: "\(sentence)"])
    }
    if configuration[.auth] == .off {
      log.warning("AUTHENTICATION IS OFF: every sender has all rights, as anonymous of the tenant default. Never run like this in production")
    }
    log.notice("worker starts", metadata: ["roles": "\(configuration[.roles].map(\.rawValue).joined(separator: ","))", "pid": .stringConvertible(getpid())])
  }

  private func work() async -> Int32 {
    let stop = Task {
      await stopRequested()
      return ContinuousClock.now
    }
    let setup = Task { await SetupWatch(configuration, health: health, log: log).untilReady() }
    let waiting = Task {
      _ = await stop.value
      setup.cancel()
    }
    defer { waiting.cancel() }
    guard await setup.value else {
      log.notice("worker stopped before it began")
      return ProgramExit.done
    }
    let composition: WorkerComposition
    do {
      let auth = try AuthComposition(configuration) { [health] in health.set($0) }
      composition = try WorkerComposition(WorkerSettings(configuration), auth: auth, logger: log, health: health, metrics: metrics)
    } catch {
      log.critical("the worker cannot be put together", metadata: [LogKey.error: "\(error)"])
      return ProgramExit.wrongConfiguration
    }
    self.composition.withLock { $0 = composition }
    let draining = Task {
      _ = await stop.value
      await composition.drain()
    }
    await composition.run()
    draining.cancel()
    tell(composition.report, inTime: true, took: await stop.value.duration(to: .now))
    return ProgramExit.done
  }

  /// The last line: what became of the commands that were in hand.
  private func tell(_ report: CommandPipeline.Report, inTime: Bool, took: Duration) {
    log.notice(
      "worker stopped",
      metadata: [
        LogKey.settled: .stringConvertible(report.settled), LogKey.finished: .stringConvertible(report.finished),
        LogKey.returned: .stringConvertible(inTime ? report.unsettled : 0), LogKey.abandoned: .stringConvertible(inTime ? 0 : report.unsettled),
        LogKey.milliseconds: .stringConvertible(Int(took / .milliseconds(1))),
      ])
  }

  /// Returns at the first signal, after which the time to drain runs. What is not done by its end goes back whole: that is an orderly end too.
  private func stopRequested() async {
    let signal = await signals.wait()
    health.setStopping()
    let limit = configuration[.drainTimeout]
    log.notice(
      "stop requested: work in hand is finished", metadata: [LogKey.signal: "\(ShutdownSignals.name(signal))", LogKey.timeout: "\(DurationText.format(limit))"])
    let began = ContinuousClock.now
    Task {
      try await Task.sleep(until: began + limit, clock: .continuous)
      log.critical("work in hand did not finish in time; what is not acknowledged comes again", metadata: [LogKey.timeout: "\(DurationText.format(limit))"])
      tell(composition.withLock { $0 }?.report ?? .init(), inTime: false, took: began.duration(to: .now))
      ProgramExit.leave(ProgramExit.done)
    }
  }
}

extension HealthRegistry {
  /// As a connection's loop tells it; `connection` is the dependency's name, and behind a `/` what this one of its connections is for.
  func set(_ connection: String, _ state: ConnectionState) {
    let parts = connection.split(separator: "/", maxSplits: 1)
    guard let first = parts.first, let name = DependencyName(rawValue: String(first)) else {
      return assertionFailure("no dependency is called \(connection)")
    }
    let purpose = String(parts.last ?? first)
    switch state {
    case .connected(let server): set(name, connection: purpose, .up, detail: server, version: state.version)
    case .disconnected(let reason): set(name, connection: purpose, .down, detail: reason)
    // The reason for which it connects again says more; and the worker itself closes.
    case .connecting, .closed: break
    }
  }
}

extension HealthRegistry {
  fileprivate func set(_ state: SenderKeys.State) {
    switch state {
    case .good: set(.keys, .up)
    case .stale(let reason): set(.keys, .degraded, detail: "those fetched last still serve; \(reason)")
    case .unavailable(let reason): set(.keys, .down, detail: reason)
    }
  }
}
