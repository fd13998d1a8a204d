using System.Diagnostics;
using System.Text.RegularExpressions;

namespace PartnerBff.Tests.Idempotency;

/// <summary>An instance in a process of its own, which is killed in the middle of a write.</summary>
public sealed partial class KilledInstanceTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [RedisFact]
    public async Task Copies_that_race_over_two_instances_end_in_one_order_and_one_answer_though_an_instance_is_killed()
    {
        var redis = StartRedis();
        var living = Start(redis: redis);
        using var dying = StartProcess(redis);
        using var client = new HttpClient { BaseAddress = await dying.Address.WaitAsync(Patience) };
        await Until(async () => (await Get(living, "/v1/account", AcmeKey)).IsSuccessStatusCode);
        await Until(async () => (await Send(living, HttpMethod.Get, "/v1/account", AcmeKey, client: client)).IsSuccessStatusCode);

        using var held = Upstream.Orders.Faults.Hold("/orders");
        var arrived = Upstream.Orders.Calls.NextAsync();
        var first = Send(living, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "race", client);
        await arrived.WaitAsync(Patience); // The instance that will die holds the key, and the service has the order.
        var copies = Enumerable.Range(0, 100).Select(i => Persist(living, i % 2 == 0 ? client : living.Client)).ToList();
        dying.Kill();
        held.Dispose();

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => first);
        var answers = await Task.WhenAll(copies).WaitAsync(Patience);
        Assert.Single(answers.Distinct());
        var calls = Upstream.Orders.Calls.All.Where(c => c is { Method: "POST", Path: "/orders" }).ToList();
        Assert.Equal(["race", "race"], calls.Select(c => c.Header("Idempotency-Key"))); // The dead one's, and one more by which the service tells.
        var orders = (await Json(await Get(living, "/v1/orders?limit=100", AcmeKey)))["data"]!.AsArray();
        Assert.Single(orders, o => (string?)o!["id"] == (string?)JsonNode.Parse(answers[0])!["id"]);
    }

    [RedisFact]
    public async Task A_batch_of_a_hundred_that_is_cut_off_by_the_death_of_its_instance_is_finished_by_its_repeat_elsewhere()
    {
        var redis = StartRedis();
        var living = Start(redis: redis);
        using var dying = StartProcess(redis);
        using var client = new HttpClient { BaseAddress = await dying.Address.WaitAsync(Patience) };
        await Until(async () => (await Get(living, "/v1/account", AcmeKey)).IsSuccessStatusCode);
        await Until(async () => (await Send(living, HttpMethod.Get, "/v1/account", AcmeKey, client: client)).IsSuccessStatusCode);
        var references = Enumerable.Range(0, 100).Select(i => $"dies-{i:00}").ToList();
        JsonObject Batch() => new() { ["orders"] = new JsonArray([.. references.Select(r => (JsonNode)Order(reference: r))]) };

        Upstream.Orders.Faults.Set(new Fault { Mode = FaultMode.Delay, DelayMs = 20, Method = "POST" });
        var first = Send(living, HttpMethod.Post, "/v1/orders/batch", AcmeKey, Batch(), "dies", client);
        await Upstream.Orders.Calls.ReachAsync(50).WaitAsync(Patience);
        dying.Kill();
        Upstream.Orders.Faults.Heal();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => first);
        var placed = Placed(Upstream);
        Assert.InRange(placed, 50, 99); // In the middle.

        JsonObject? answer = null;
        while (answer is null)
        {
            var repeat = await Send(living, HttpMethod.Post, "/v1/orders/batch", AcmeKey, Batch(), "dies");
            if (repeat.StatusCode != HttpStatusCode.Conflict && await Json(repeat, 207) is var done && done["results"]!.AsArray().All(r => (int)r!["status"]! != 409))
            {
                answer = done;
                break;
            }

            await Task.Delay(1000); // As Retry-After asks: the dead one's claims, on the whole and on what it was placing, are not over yet.
        }

        Assert.Equal((100, 0), ((int)answer["succeeded"]!, (int)answer["failed"]!));
        Assert.Equal(references, answer["results"]!.AsArray().Select(r => (string)r!["order"]!["reference"]!));
        var orders = (await Json(await Get(living, "/v1/orders?limit=100", AcmeKey)))["data"]!.AsArray();
        Assert.Equal(references, orders.Select(o => (string?)o!["reference"]).Where(r => r?.StartsWith("dies-", StringComparison.Ordinal) == true).Order(StringComparer.Ordinal));
        Assert.InRange(Placed(Upstream), 100, 100 + 8); // Again only what was on its way when the instance died, under the same key.
    }

    /// <summary>A client as it should be: repeats under the same key until it has an answer, elsewhere when the instance is gone.</summary>
    private static async Task<string> Persist(PartnerHost living, HttpClient preferred)
    {
        while (true)
        {
            try
            {
                var response = await Send(living, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "race", preferred);
                if (response.StatusCode == HttpStatusCode.Created)
                {
                    return await response.Content.ReadAsStringAsync();
                }

                Assert.True(response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests, response.StatusCode.ToString());
                await Task.Delay(500); // As Retry-After asks.
            }
            catch (HttpRequestException)
            {
                preferred = living.Client;
            }
        }
    }

    private static async Task Until(Func<Task<bool>> holds)
    {
        while (!await holds())
        {
            await Task.Delay(50); // Another process, which has no signal to give.
        }
    }

    private Instance StartProcess(RedisServer redis)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "PartnerBff.dll"), "--urls", "http://127.0.0.1:0" },
        };
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["ConnectionStrings__redis"] = redis.ConnectionString;
        start.Environment["ApiKeys__Bootstrap__acme"] = AcmeKey;
        start.Environment["Tenants__acme__Plan"] = "enterprise";
        start.Environment["State__Timeout"] = "00:00:02";
        start.Environment["Composition__Deadline"] = "00:01:00";
        start.Environment["Upstreams__orders__Timeout"] = "00:00:30";
        foreach (var (key, value) in Surroundings.GatewaySettings)
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        return new Instance(Process.Start(start)!);
    }

    private sealed partial class Instance : IDisposable
    {
        private readonly Process _process;
        private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Instance(Process process)
        {
            _process = process;
            process.OutputDataReceived += (_, line) =>
            {
                if (Listening().Match(line.Data ?? "") is { Success: true } match)
                {
                    _address.TrySetResult(new Uri(match.Value));
                }
            };
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        public Task<Uri> Address => _address.Task;

        /// <summary>As a crash: nothing is finished, released or said.</summary>
        public void Kill()
        {
            _process.Kill();
            _process.WaitForExit();
        }

        public void Dispose()
        {
            if (!_process.HasExited)
            {
                Kill();
            }

            _process.Dispose();
        }

        [GeneratedRegex("http://127\\.0\\.0\\.1:\\d+")]
        private static partial Regex Listening();
    }
}
