import Dispatch
import Glibc

/// Has a closure called for signals, in place of what they do otherwise, for as long as it lives.
package final class SignalWatch: Sendable {
  // Unsafe: set once in `init` and never touched again; it only keeps the sources alive.
  nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

  init(_ numbers: [Int32], _ handler: @escaping @Sendable (Int32) -> Void) {
    let queue = DispatchQueue(label: "signals")
    sources = numbers.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { handler(number) }
      source.activate()
      return source
    }
  }
}
