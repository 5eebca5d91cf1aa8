import Domain
import Synchronization

/// How the worker's dependencies are, as their connections tell it and as the health endpoints and the log show it.
package final class HealthRegistry: Sendable {
  private struct Observation {
    let state: DependencyState
    let detail: String?
    var version: String?
  }

  private struct Entry {
    /// What each of the dependency's connections said last.
    var connections: [String: Observation] = [:]
    var health: DependencyHealth
  }

  private struct State {
    var entries: [DependencyName: Entry]
    var isStopping = false
  }

  private let state: Mutex<State>
  private let now: @Sendable () -> Timestamp
  private let onChange: @Sendable (DependencyHealth) -> Void

  /// All start as down, but for those in `unused`. `onChange` is called on the caller's thread, outside any lock, for changes of state only.
  package init(
    unused: Set<DependencyName> = [], now: @escaping @Sendable () -> Timestamp = { .now },
    onChange: @escaping @Sendable (DependencyHealth) -> Void = { _ in }
  ) {
    let start = now()
    var entries: [DependencyName: Entry] = [:]
    for name in DependencyName.allCases {
      let (state, detail): (DependencyState, String) = unused.contains(name) ? (.unused, "not configured") : (.down, "not tried yet")
      entries[name] = Entry(health: DependencyHealth(name: name, state: state, since: start, detail: detail))
    }
    state = Mutex(State(entries: entries))
    self.now = now
    self.onChange = onChange
  }

  /// Sets the state of a dependency as a whole, from any thread; what single connections said before is void.
  package func set(_ name: DependencyName, _ state: DependencyState, detail: String? = nil, version: String? = nil) {
    update(name) { entry in
      entry.connections = [:]
      return Observation(state: state, detail: detail, version: version)
    }
  }

  /// Sets what one of several connections to a dependency says of it; the worst of them count, which may be on several hosts.
  package func set(_ name: DependencyName, connection: String, _ state: DependencyState, detail: String? = nil, version: String? = nil) {
    update(name) { entry in
      entry.connections[connection] = Observation(state: state, detail: detail, version: version)
      let worst = entry.connections.values.map(\.state).max { $0.severity < $1.severity }!  // one was just set
      let observed = entry.connections.values.filter { $0.state == worst }
      func joined(_ texts: [String]) -> String? { texts.isEmpty ? nil : Set(texts).sorted().joined(separator: "; ") }
      return Observation(state: worst, detail: joined(observed.compactMap(\.detail)), version: joined(observed.compactMap(\.version)))
    }
  }

  /// `since` moves only where the state changes.
  private func update(_ name: DependencyName, _ observe: (inout Entry) -> Observation) {
    let changed: DependencyHealth? = state.withLock { state in
      var entry = state.entries[name]!  // made for every name
      let observed = observe(&entry)
      let old = entry.health
      entry.health = DependencyHealth(
        name: name, state: observed.state, since: observed.state == old.state ? old.since : now(), detail: observed.detail,
        version: observed.version ?? old.version, latency: observed.state == .down ? nil : old.latency)
      state.entries[name] = entry
      return observed.state == old.state ? nil : entry.health
    }
    if let changed { onChange(changed) }
  }

  /// A round trip that was measured; nil where the last try came to nothing.
  package func set(_ name: DependencyName, latency: Duration?) { state.withLock { $0.entries[name]?.health.latency = latency } }

  /// The worker takes no new work any more: it is not ready from here on, whatever its dependencies are.
  package func setStopping() { state.withLock { $0.isStopping = true } }

  package var report: HealthReport {
    let state = state.withLock { $0 }
    return HealthReport(dependencies: DependencyName.allCases.compactMap { state.entries[$0]?.health }, isStopping: state.isStopping)
  }
}

extension HealthRegistry {
  /// What Prometheus is told of health.
  package var gauges: [any MetricFamily] {
    [
      upGauge,
      Gauge("orders_dependency_required", "Whether the worker is unready without a dependency.") {
        self.report.dependencies.filter { $0.state != .unused }.map { (pairs: [("name", $0.name.rawValue)], value: $0.name.isRequired ? 1 : 0) }
      },
      Gauge("orders_dependency_degraded", "Whether a dependency answers, but not as it should.") {
        self.report.dependencies.filter { $0.state != .unused }.map { (pairs: [("name", $0.name.rawValue)], value: $0.state == .degraded ? 1 : 0) }
      },
      Gauge("orders_dependency_latency_seconds", "The last round trip that was measured.") {
        self.report.dependencies.compactMap { row in row.latency.map { (pairs: [("name", row.name.rawValue)], value: $0 / .seconds(1)) } }
      },
      Gauge("orders_worker_ready", "Whether it takes work.") { [(pairs: [], value: self.report.isReady ? 1 : 0)] },
    ]
  }

  /// 1 for a dependency that can be worked with, 0 for one that cannot; one that is not configured is left out.
  package var upGauge: Gauge {
    Gauge("orders_dependency_up", "Whether a dependency can be worked with.") {
      self.report.dependencies.filter { $0.state != .unused }.map {
        (pairs: [("name", $0.name.rawValue)], value: $0.state.isGoodEnough ? 1 : 0)
      }
    }
  }
}
