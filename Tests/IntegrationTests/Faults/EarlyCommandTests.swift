import ClientRuntime
import RabbitMQClient
import TestSupport
import Testing

/// Commands that come before what they need wait a second at a time, three times.
@Suite struct EarlyCommandTests {
  @Test(.timeLimit(.minutes(2))) func anUpdateBeforeItsCreateWaitsAndIsAccepted() async throws {
    let world = try await ProductWorld.make(["ORDERS_RETRY_RUNGS": "30s"])
    try await world.setStock(["p": 10])
    let flow = try await CommandFlow(world)
    let worker = await world.worker()
    #expect(await flow.send([flow.cancel(1, expecting: 1)]))
    #expect(try await eventually { try await world.depth("retry.1s") == 1 }, "\(world.logTail())")
    #expect(await flow.send([flow.create(1)]))
    #expect(await eventually { flow.acceptedIDs == ["create-1", "cancel-1"] }, "\(world.logTail())")
    let answer = try #require(flow.answers(to: "cancel-1").first)
    #expect(answer.status == "cancelled" && answer.version == 2 && flow.answers(to: "cancel-1").count == 1)
    #expect(await eventually { flow.events.count == 2 })
    let told = flow.events.all.compactMap { EventNote($0.delivery) }
    #expect(told.map(\.type) == ["order.created", "order.cancelled"] && told.map(\.causationid) == ["create-1", "cancel-1"])
    #expect(try await world.number("SELECT reserved FROM inventory") == 0)
    await worker.end()
    await flow.close()
    try await world.remove()
  }

  @Test(.timeLimit(.minutes(2))) func anOrderOrVersionThatNeverComesIsRejectedAfterThreeSeconds() async throws {
    let world = try await ProductWorld.make(["ORDERS_RETRY_RUNGS": "30s"])
    try await world.setStock(["p": 10])
    let flow = try await CommandFlow(world)
    let worker = await world.worker()
    #expect(await flow.send([flow.create(2)]))
    #expect(await eventually { flow.acceptedIDs == ["create-2"] }, "\(world.logTail())")
    #expect(await flow.send([flow.cancel(1, id: "no order"), flow.cancel(2, id: "no version", expecting: 7)]))
    #expect(await eventually { flow.replies.count == 3 && flow.events.count == 3 }, "\(world.logTail())")
    for (id, code) in [("no order", "not_found"), ("no version", "version_conflict")] {
      let answers = flow.answers(to: id)
      #expect(answers.count == 1 && answers.first?.outcome == "rejected" && answers.first?.error?.code == code, "\(answers)")
      let took = try #require(flow.duration(toReplyOf: id))
      #expect(took > .milliseconds(2_900) && took < .seconds(10), "\(id) took \(took)")
      let event = try #require(flow.events.all.compactMap { EventNote($0.delivery) }.first { $0.causationid == id })
      #expect(event.type == "order.command_rejected" && event.sequence == nil)
    }
    #expect(try await world.depth("dead-letter") == 0)
    #expect(try await world.number("SELECT count(*) FROM processed_commands WHERE outcome = 'rejected'") == 2)
    await worker.end()
    await flow.close()
    try await world.remove()
  }
}
