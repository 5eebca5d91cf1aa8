/// One life of a worker. Its ports do nothing any more once it is over.
final class Life: @unchecked Sendable {  // touched by the one thread of its simulation
  let name: String
  /// It died: whatever its tasks still do is heard by nobody.
  private(set) var isOver = false
  private var isEnding = false
  private var waiters: [CheckedContinuation<Void, Never>] = []
  var atEnd: ((_ isDeath: Bool) -> Void)?

  init(name: String) { self.name = name }

  /// Returns when the life is to end, by death or in order.
  func ended() async {
    if isEnding { return }
    await withCheckedContinuation { waiters.append($0) }
  }

  func end(isDeath: Bool) {
    guard !isOver, isDeath || !isEnding else { return }
    isOver = isDeath
    isEnding = true
    let action = atEnd
    if isDeath { atEnd = nil }
    action?(isDeath)
    let waiters = waiters
    self.waiters = []
    for waiter in waiters { waiter.resume() }
  }
}
