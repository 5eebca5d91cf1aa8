import ClientRuntime
import Glibc
import TestSupport
import Testing

@testable import RabbitMQClient

/// Several hosts in one URL, of which some are dead, silent or gone.
@Suite struct RabbitMQHostTests {
  @Test(arguments: [
    ("amqp://h,", "host 2 of the 2 in the RabbitMQ URL is empty"), ("amqp://u:hunter2@a,,b/v", "host 2 of the 3 in the RabbitMQ URL is empty"),
    ("amqp://a:1,b:port/v", "host 2 of the 2 in the RabbitMQ URL has no valid port"), ("amqp://a:0", "the host of the RabbitMQ URL has no valid port"),
    ("amqp://a:65536", "1 to 65535"), ("amqp://a, b", "host 2 of the 2 in the RabbitMQ URL has a blank"),
    ("amqp://a,:5672", "host 2 of the 2 in the RabbitMQ URL has no name"),
    ("amqp://[::1", "begins with [ and has no ]"), ("amqp://[::1]5672", "more than a port behind its ]"), ("amqp://[::1]:", "no valid port"),
    ("amqp://::1", "an IPv6 address is written in [ ]"), ("amqp://u:hunter2/x@h", "in a password are written"), ("amqp:///v", "names no host"),
  ])
  func aWrongHostIsNamedByItsPlaceAndNothingIsQuoted(url: String, sentence: String) {
    let error = #expect(throws: AMQPError.self) { _ = try ConnectionConfiguration(url: url, name: "x") }
    #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    #expect(error?.code == .wrongURL && error?.message.contains("hunter2") == false)
  }

  @Test func theHostsAreToldWithTheirPortsAndWithoutThePassword() throws {
    let configuration = try ConnectionConfiguration(url: "amqp://u:hunter2@a:5,b,[::1]:7/v", name: "x")
    #expect(configuration.description == "amqp://u@a:5,b:5672,[::1]:7/v")
  }

  @Test func eachHostIsTriedOnceInARoundAndEveryOneMayBeTheFirst() throws {
    let hosts = try ConnectionConfiguration(url: "amqp://a,b,c", name: "x").hosts
    var random = SeededGenerator(seed: 1)
    var starts: Set<String> = []
    for _ in 0..<100 {
      var rotation = HostRotation(hosts, using: &random)
      starts.insert(rotation.current.name)
      for _ in 0..<2 {
        var tried: Set<String> = []
        for step in 1...3 {
          tried.insert(rotation.current.name)
          rotation.fail()
          #expect(rotation.isRoundOver == (step == 3))
        }
        #expect(tried == ["a", "b", "c"])
      }
      rotation.fail()
      rotation.reset()
      #expect(!rotation.isRoundOver)
      rotation.fail()
      #expect(!rotation.isRoundOver, "another host is tried before there is a longer wait")
    }
    #expect(starts == ["a", "b", "c"])
    var alone = HostRotation([hosts[0]])
    alone.fail()
    #expect(alone.isRoundOver && alone.current.name == "a")
  }

  @Test func deadHostsArePassedOverWhereverTheTriesBegin() async throws {
    let fixture = try await RabbitMQFixture.make()
    let real = try RabbitMQFixture.configuration().hosts[0]
    let url = "amqp://guest:guest@127.0.0.1:\(freePort()),\(real.place),127.0.0.1:\(freePort())"
    let configuration = try ConnectionConfiguration(url: url, name: "hosts")
    for _ in 0..<6 {
      let publisher = try fixture.publisher(configuration)
      let consumer = try fixture.consumer(configuration)
      #expect(await publisher.publish([fixture.publication([1])], deadline: .soon) == [.confirmed])
      let deliveries = await consumer.deliveries(1)
      #expect(deliveries.map(\.body) == [[1]])
      consumer.settle([.ack(tag: try #require(deliveries.first).tag, multiple: false)], generation: deliveries[0].generation)
      await consumer.flush()
      #expect(publisher.state.server?.hasSuffix(" at \(real.place)") == true && consumer.state.server?.hasSuffix(" at \(real.place)") == true)
      await consumer.close()
      await publisher.close()
      _ = try await AMQPAdministration.withSession(configuration) { session throws(AMQPError) in try session.depth(of: fixture.queue)?.messages }
    }
    try await fixture.remove()
  }

  @Test func aHostThatSwallowsEverythingIsLeftForTheOtherAndCostsOneTimeoutAtMost() async throws {
    let fixture = try await RabbitMQFixture.make()
    let port = UInt16(try RabbitMQFixture.configuration().hosts[0].port)
    let proxies = [TCPProxy(to: port), TCPProxy(to: port)]
    let url = "amqp://guest:guest@127.0.0.1:\(proxies[0].port),127.0.0.1:\(proxies[1].port)"
    let configuration = try ConnectionConfiguration(url: url, name: "hosts", heartbeat: .seconds(1), connectTimeout: .seconds(1))
    let publisher = try fixture.publisher(configuration)
    for _ in 0..<2 {
      #expect(await eventually { publisher.state.isConnected })
      let used = try #require(proxies.firstIndex { publisher.state.server?.hasSuffix(":\($0.port)") == true })
      proxies[used].becomeBlackHole()
      #expect(await eventually { publisher.state.server?.hasSuffix(":\(proxies[1 - used].port)") == true })
      #expect(await publisher.publish([fixture.publication([1])], deadline: .soon) == [.confirmed])
      // Whoever begins at the silent one is at the other after the connect timeout.
      for _ in 0..<4 {
        let (other, took) = try await timed {
          let other = try fixture.publisher(configuration)
          #expect(await other.publish([fixture.publication([1])], deadline: .soon) == [.confirmed])
          return other
        }
        #expect(took < .seconds(4), "\(took)")
        await other.close()
      }
      proxies[used].forwardAgain()
    }
    await publisher.close()
    for proxy in proxies { proxy.close() }
    try await fixture.remove()
  }

  @Test func aTryAtAServerThatOnlyTakesTheConnectionEndsAtTheDeadline() async throws {
    let (listener, port) = listenOnLoopback()
    defer { close(listener) }
    let configuration = try ConnectionConfiguration(url: "amqp://127.0.0.1:\(port)", name: "silent", connectTimeout: .seconds(20))
    let (error, took) = await timed {
      await #expect(throws: AMQPError.self) {
        try await AMQPAdministration.withSession(configuration, deadline: .after(.milliseconds(500))) { session throws(AMQPError) in
          _ = try session.depth(of: "any")?.messages
        }
      }
    }
    #expect(error?.code == .timeout && took < .seconds(10), "\(String(describing: error)) after \(took)")
  }
}
