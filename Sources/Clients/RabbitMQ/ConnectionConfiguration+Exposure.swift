import ClientRuntime

extension ConnectionConfiguration {
  /// What somebody on the way to another machine could do, in a sentence without secrets; nil where it is nothing.
  public var exposure: String? {
    let remote = hosts.filter { !HostLookup.isLocal($0.name) }.map(\.place).joined(separator: ", ")
    if remote.isEmpty { return nil }
    guard let tls else { return "the connection to RabbitMQ at \(remote) is not encrypted: amqps:// is" }
    return tls.verifiesServer ? nil : "RabbitMQ at \(remote) is not verified, so that anybody in between can pass for it: verify=verify_peer does that"
  }
}
