import Domain

/// What `/health/ready` answers: 200 where every required dependency can be worked with, else 503.
package struct HealthReport: Sendable, Equatable {
  package enum Status: String, Sendable { case ready, unready, stopping }

  package let dependencies: [DependencyHealth]
  package let status: Status

  package init(dependencies: [DependencyHealth], isStopping: Bool) {
    self.dependencies = dependencies
    let isReady = dependencies.allSatisfy { !$0.name.isRequired || $0.state.isGoodEnough }
    status = isStopping ? .stopping : isReady ? .ready : .unready
  }

  package var isReady: Bool { status == .ready }

  package var json: [UInt8] {
    var json = JSONText()
    json.object { json in
      json.member("status", status.rawValue)
      json.name("dependencies")
      json.array(dependencies) { json, dependency in
        json.object { json in
          json.member("name", dependency.name.rawValue)
          json.member("state", dependency.state.rawValue)
          json.name("since")
          json.quoted { dependency.since.appendText(to: &$0) }
          if let detail = dependency.detail { json.member("detail", detail) } else { json.null("detail") }
          if let version = dependency.version { json.member("version", version) } else { json.null("version") }
          if let latency = dependency.latency { json.member("latency_ms", latency / .milliseconds(1)) } else { json.null("latency_ms") }
          json.member("required", dependency.name.isRequired)
        }
      }
    }
    json.newline()
    return json.bytes
  }
}
