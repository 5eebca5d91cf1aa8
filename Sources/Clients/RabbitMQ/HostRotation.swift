/// Which of the hosts is tried next: each in turn from a random one on, so that many clients spread over a cluster.
struct HostRotation {
  private let hosts: [ConnectionConfiguration.Host]
  private var position: Int
  private var failures = 0

  /// - Precondition: there is a host.
  init(_ hosts: [ConnectionConfiguration.Host]) {
    var random = SystemRandomNumberGenerator()
    self.init(hosts, using: &random)
  }

  init(_ hosts: [ConnectionConfiguration.Host], using random: inout some RandomNumberGenerator) {
    self.hosts = hosts
    position = Int.random(in: 0..<hosts.count, using: &random)
  }

  var current: ConnectionConfiguration.Host { hosts[position] }

  /// Whether every host has failed since the last reset: only then is it worth waiting longer.
  var isRoundOver: Bool { failures > 0 && failures % hosts.count == 0 }

  /// The current host has proved good.
  mutating func reset() { failures = 0 }

  mutating func fail() {
    failures += 1
    position = (position + 1) % hosts.count
  }
}
