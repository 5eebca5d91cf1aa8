import RabbitMQClient

extension Consumer {
  /// Hands over and acknowledges all that comes, until the consumer is told to take no more. A queue of one's own is lost with its connection.
  func listen(lost: () -> Void, _ note: ([Delivery]) -> Void) async {
    while true {
      switch await next(max: 1_000) {
      case .deliveries(let deliveries):
        note(deliveries)
        settle([.ack(tag: deliveries.last!.tag, multiple: true)], generation: deliveries.last!.generation)
      case .lost: lost()
      case .stopped: return
      }
    }
  }
}
