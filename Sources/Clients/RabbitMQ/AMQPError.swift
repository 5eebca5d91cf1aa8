/// What went wrong between this client and RabbitMQ; the message names no password.
public struct AMQPError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: Sendable, Equatable {
    /// The server cannot be reached, or the connection broke.
    case connection
    /// The server closed the channel, with its reply code: 404 not found, 406 precondition failed, …
    case channelClosed(Int)
    /// The server closed the connection, with its reply code.
    case connectionClosed(Int)
    /// The server refused the user, the password or the virtual host.
    case refused
    case wrongURL
    case timeout
    /// A message or an argument that AMQP's frames cannot carry.
    case unencodable
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var isRetriable: Bool { code != .wrongURL && code != .unencodable }
  public var description: String { message }
}
