import Domain
import Synchronization

/// How the worker's dependencies are, as their connections tell it and as the health endpoints and the log show it.
package final class HealthRegistry: Sendable {
  private let states: Mutex<[DependencyName: DependencyHealth]>
  private let stopping = Mutex(false)
  private let now: @Sendable () -> Timestamp
  private let onChange: @Sendable (DependencyHealth) -> Void

  /// All start as down, but for those in `unused`. `onChange` is called on the caller's thread, outside any lock, for changes of state only.
  package init(
    unused: Set<DependencyName> = [], now: @escaping @Sendable () -> Timestamp = { .now },
    onChange: @escaping @Sendable (DependencyHealth) -> Void = { _ in }
  ) {
    let start = now()
    states = Mutex(
      Dictionary(
        uniqueKeysWithValues: DependencyName.allCases.map { name in
          let isUnused = unused.contains(name)
          return (name, DependencyHealth(name: name, state: isUnused ? .unused : .down, since: start, detail: isUnused ? "not configured" : "not tried yet"))
        }))
    self.now = now
    self.onChange = onChange
  }

  /// From any thread. `since` moves only where the state changes.
  package func set(_ name: DependencyName, _ state: DependencyState, detail: String? = nil) {
    let changed: DependencyHealth? = states.withLock { states in
      let old = states[name]
      let isChange = old?.state != state
      let new = DependencyHealth(name: name, state: state, since: isChange ? now() : old?.since ?? now(), detail: detail)
      states[name] = new
      return isChange ? new : nil
    }
    if let changed { onChange(changed) }
  }

  /// The worker takes no new work any more: it is not ready from here on, whatever its dependencies are.
  package func setStopping() { stopping.withLock { $0 = true } }

  package var report: HealthReport {
    let states = states.withLock { $0 }
    let isStopping = stopping.withLock { $0 }
    return HealthReport(dependencies: DependencyName.allCases.compactMap { states[$0] }, isStopping: isStopping)
  }
}
