import Glibc
import NIOCore
import NIOHTTP1

/// One client's connection: takes a request at a time and delivers what the desk decides.
final class SandboxConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private static let longestBody = 64 << 10
  /// How often a request that waits for the end of a hanging looks again.
  private static let look = TimeAmount.milliseconds(20)

  private let desk: SandboxDesk
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []

  init(desk: SandboxDesk) { self.desk = desk }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = []
    case .body(let part): if body.count <= Self.longestBody { body += part.readableBytesView }
    case .end:
      guard let head else { return }
      if body.count > Self.longestBody {
        return answer(.problem(413, "too_large", "a body has at most \(Self.longestBody) bytes"), context, keepsAlive: head.isKeepAlive)
      }
      deliver(
        SandboxRequest(method: head.method.rawValue, target: head.uri, key: head.headers.first(name: "idempotency-key"), body: body), context,
        keepsAlive: head.isKeepAlive)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func deliver(_ request: SandboxRequest, _ context: ChannelHandlerContext, keepsAlive: Bool) {
    switch desk.handle(request) {
    case .now(let reply): answer(reply, context, keepsAlive: keepsAlive)
    case .later(let reply, let instant):
      after(TimeAmount(instant - .now), context) { handler, context in handler.answer(reply, context, keepsAlive: keepsAlive) }
    case .parked: after(Self.look, context) { handler, context in handler.deliver(request, context, keepsAlive: keepsAlive) }
    case .never: break
    case .cut:
      // With nothing left to linger for, closing is a reset.
      _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
      context.close(promise: nil)
    }
  }

  private func after(
    _ delay: TimeAmount, _ context: ChannelHandlerContext, _ body: @escaping @Sendable (SandboxConnection, ChannelHandlerContext) -> Void
  ) {
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: delay) {
      let (handler, context) = bound.value
      if context.channel.isActive { body(handler, context) }
    }
  }

  private func answer(_ reply: SandboxAnswer, _ context: ChannelHandlerContext, keepsAlive: Bool) {
    var headers: HTTPHeaders = ["content-type": reply.contentType, "content-length": "\(reply.body.count)"]
    if let retryAfter = reply.retryAfter { headers.add(name: "retry-after", value: "\(retryAfter)") }
    if !keepsAlive { headers.add(name: "connection", value: "close") }
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: reply.status), headers: headers))), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: reply.body)))), promise: nil)
    let sent = context.writeAndFlush(wrapOutboundOut(.end(nil)))
    if !keepsAlive { sent.assumeIsolated().whenComplete { _ in context.close(promise: nil) } }
  }
}
