import CRabbitMQ
import ClientRuntime
import Glibc

extension AMQPConnection {
  /// Connects to one of the host's addresses, TLS handshake included. The socket is librabbitmq's, and so non-blocking.
  static func open(
    _ handle: amqp_connection_state_t, _ settings: TLSSettings?, _ host: ConnectionConfiguration.Host, _ limit: Deadline
  ) throws(AMQPError) -> (socket: Int32, tls: TLSSession?) {
    guard let transport = settings == nil ? amqp_tcp_socket_new(handle) : amqp_ssl_socket_new(handle) else {
      throw AMQPError(.connection, "out of memory")
    }
    var tls: TLSSession?
    do throws(AMQPError) {
      if let settings { tls = try TLSSession(socket: transport, settings, host: host.name) }
    } catch {
      throw AMQPError(error.code, "cannot connect to RabbitMQ at \(host.place): \(error.message)")
    }
    let addresses: [String]
    switch HostLookup.system.addresses(of: host.name, until: limit) {
    case nil: throw AMQPError(.timeout, "cannot connect to RabbitMQ at \(host.place): the name was not resolved within the connect timeout")
    case .failure(let reason): throw AMQPError(.connection, "cannot connect to RabbitMQ at \(host.place): \(reason)")
    case .addresses(let found): addresses = found
    }
    var code = AMQP_STATUS_TIMEOUT.rawValue
    var failure: AMQPError?
    for (index, address) in addresses.enumerated() where code != AMQP_STATUS_OK.rawValue {
      // One that swallows everything leaves time for the others.
      var timeout = timeval(limit.remaining / (addresses.count - index))
      code = amqp_socket_open_noblock(transport, address, host.port, &timeout)
      if let tls, tls.began, failure == nil, code != AMQP_STATUS_OK.rawValue {
        failure =
          code == AMQP_STATUS_TIMEOUT.rawValue
          ? AMQPError(.timeout, "no answer to the TLS handshake within the connect timeout") : AMQPError(.connection, tls.failure())
      }
    }
    guard code == AMQP_STATUS_OK.rawValue else {
      throw AMQPError(failure?.code ?? .connection, "cannot connect to RabbitMQ at \(host.place): \(failure?.message ?? errorText(code))")
    }
    let socket = amqp_get_sockfd(handle)
    limitUnread(socket, to: unreadLimit)
    return (socket, tls)
  }
}
