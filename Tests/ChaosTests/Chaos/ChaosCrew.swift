import Foundation
import Glibc
import TestSupport

/// Workers, each with links of its own to every server.
actor ChaosCrew {
  private let world: ProductWorld
  private let servers: ChaosServers
  private var links: [[ChaosFault.Server: TCPProxy]] = []
  private var words: [[String]] = []
  private var workers: [ServerProcess] = []
  private(set) var ended: [String] = []
  /// Workers that another one took the place of, at their own pace.
  private var replaced = 0

  init(_ world: ProductWorld, _ servers: ChaosServers) {
    self.world = world
    self.servers = servers
  }

  func start(_ count: Int, executable: String = ProductWorld.executable) async -> Bool {
    for _ in 0..<count {
      var proxies: [ChaosFault.Server: TCPProxy] = [:]
      var line = ["run"]
      for server in ChaosFault.Server.allCases {
        let address = await servers.address(server)
        let proxy = TCPProxy(to: address.port)
        proxies[server] = proxy
        line += [address.flag, address.url.replacingOccurrences(of: ":\(address.port)", with: ":\(proxy.port)")]
      }
      links.append(proxies)
      words.append(line)
      workers.append(await world.worker(line, executable: executable))
    }
    return await world.connections(reach: count)
  }

  func link(_ worker: Int, to server: ChaosFault.Server) -> TCPProxy { links[worker][server]! }

  func kill(_ index: Int) async {
    note(index)
    let victim = workers[index]
    victim.signal(SIGKILL)
    _ = await eventually { !victim.isRunning }
  }

  /// As a rollout does: the new one first, which may have to wait until it is ready, then SIGTERM for the old one, which finishes what it has.
  func replace(_ index: Int, by executable: String, whenReady: () async -> Bool = { true }) async {
    note(index)
    let before = world.connections
    let (old, new) = (workers[index], await world.worker(words[index], executable: executable))
    workers[index] = new
    guard await whenReady(), await world.connections(reach: before + 1) else { return ended.append("worker: the new one of \(index) does not work") }
    await old.end()
    replaced += 1
  }

  func restart(_ index: Int) async { workers[index] = await world.worker(words[index]) }

  func freeze(_ index: Int) { workers[index].freeze() }
  func thaw(_ index: Int) { workers[index].thaw() }

  /// All links as they should be.
  func heal() { for link in links.flatMap(\.values) { link.forwardAgain() } }

  /// SIGTERM for all. What ended by itself before, by name.
  func end() async -> [String] {
    for index in workers.indices { note(index) }
    await withTaskGroup(of: Void.self) { group in
      for worker in workers { group.addTask { await worker.end() } }
    }
    for link in links.flatMap(\.values) { link.close() }
    let stopped = world.printed.split(separator: "\n").count { $0.contains(#""message":"worker stopped""#) }
    let due = workers.count + replaced
    if stopped != due { ended.append("worker: \(stopped) of \(due) stopped as they should on SIGTERM") }
    return ended
  }

  private func note(_ index: Int) { if !workers[index].isRunning { ended.append("worker: \(index) had ended by itself") } }
}
