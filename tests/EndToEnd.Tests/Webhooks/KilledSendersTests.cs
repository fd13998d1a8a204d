using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Bff.Callers.ApiKeys;
using Bff.EndToEnd.Tests.Clients;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Webhooks;

/// <summary>
/// Real processes on one real Redis crash, stop and start again while events arrive; the receiver verifies with the partners' own library.
/// </summary>
public sealed class KilledSendersTests() : InstancesOnOneRedis("PartnerBff", 2)
{
    private const int Events = 1000;
    private const int Batch = 10;
    private const int Deaths = 6;
    private static readonly string Key = ApiKeyFormat.New(isTest: false);

    private readonly Random _random = new(8);

    [RedisFact]
    public async Task Every_accepted_event_is_delivered_though_instances_are_killed_and_restarted_at_random()
    {
        await Task.WhenAll(Start(0), Start(1));
        await using var live = await Receiver.Start();
        await using var dead = await Receiver.Start();
        dead.Answer = Receiver.Hang;
        var secret = await Subscribe(live.Url);
        await Subscribe(dead.Url);

        var publishing = Publish();
        for (var death = 1; death <= Deaths; death++)
        {
            await Eventually.True(() => Numbers(live) >= death * Events / (Deaths + 2) || publishing.IsCompleted, GatewayProcess.WaitLimit);
            await Replace(_random.Next(2));
        }

        await publishing;
        await Eventually.True(() => Numbers(live) == Events, GatewayProcess.WaitLimit);
        Assert.Equal(Enumerable.Range(0, Events), live.All.Select(r => r.Number).Distinct().Order());
        Assert.Equal(Events, live.All.Select(r => r.Id).Distinct().Count()); // A repeat can be told from a new event.
        Assert.NotEmpty(dead.All);
        await VerifyIndependently(secret, [.. live.All]);
    }

    private static int Numbers(Receiver receiver) => receiver.All.Select(r => r.Number).Distinct().Count();

    /// <summary>Ends an instance by a crash or in an orderly way, and starts a new process in its place.</summary>
    private async Task Replace(int at)
    {
        if (_random.Next(3) == 0)
        {
            await Instances[at].Terminate();
            await Instances[at].Exit();
        }
        else
        {
            await Instances[at].Kill();
        }

        await Start(at);
    }

    private protected override Task<GatewayProcess> StartProcess() =>
        GatewayProcess.Start(
            "PartnerBff",
            Surroundings,
            Folder,
            [
                ("ConnectionStrings:redis", Redis.ConnectionString),
                ("Shutdown:Delay", "00:00:00"),
                ("ApiKeys:Bootstrap:acme", Key),
                ("Tenants:acme:Plan", "enterprise"),
                ("Webhooks:AllowPrivateNetworks", "true"),
                ("Webhooks:Timeout", "00:00:05"),
                // A receiver that is slow twice must not wait for minutes.
                .. Enumerable.Range(0, 10).Select(n => ($"Webhooks:Schedule:{n}", n == 0 ? "00:00:00" : "00:00:05")),
            ]
        );

    private async Task<string> Subscribe(string url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/webhook-endpoints")
        {
            Content = JsonContent.Create(new { url, types = (string[])["*"] }),
        };
        request.Headers.Authorization = new("Bearer", Key);
        using var answer = await Instances[0].Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == 201, text);
        return (string)JsonNode.Parse(text)!["secret"]!;
    }

    /// <summary>Publishes as a service does: to any instance, repeated until it is accepted.</summary>
    private async Task Publish()
    {
        using var http = new HttpClient(new LeakSentinelHandler(Surroundings.Leaks, new SocketsHttpHandler { UseProxy = false }));
        http.DefaultRequestHeaders.Authorization = new("Bearer", Surroundings.Token("orders", "events.publish"));
        for (var first = 0; first < Events; first += Batch)
        {
            var (from, at) = (first, first / Batch);
            await Eventually.True(() => IsTaken(http, from, Instances[at++ % 2].Address), GatewayProcess.WaitLimit);
        }
    }

    private static async Task<bool> IsTaken(HttpClient http, int first, Uri instance)
    {
        var events = Enumerable
            .Range(first, Batch)
            .Select(n =>
                $$$"""{"specversion":"1.0","id":"{{{n}}}","source":"/orders","type":"order.updated","tenantid":"acme","data":{"n":{{{n}}}}}"""
            );
        using var content = new StringContent($"[{string.Join(',', events)}]", Encoding.UTF8, "application/cloudevents-batch+json");
        try
        {
            using var answer = await http.PostAsync(new Uri(instance, "/internal/events"), content);
            return (int)answer.StatusCode == 202;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Verifies every request that arrived with npm's <c>standardwebhooks</c>, where node is installed.</summary>
    private static async Task VerifyIndependently(string secret, IReadOnlyList<Received> received)
    {
        if (NodeFactAttribute.Npm is not { } npm || NodeFactAttribute.Node is not { } node)
        {
            return;
        }

        var folder = Directory.CreateTempSubdirectory("bff-webhooks-").FullName;
        try
        {
            await Tool.Run(folder, npm, ["install", "--no-audit", "--no-fund", "--ignore-scripts", "standardwebhooks@1.0.0"]);
            await File.WriteAllTextAsync(
                Path.Combine(folder, "received.json"),
                new JsonArray([
                    .. received.Select(r =>
                        (JsonNode)
                            new JsonObject
                            {
                                ["body"] = r.Body,
                                ["headers"] = new JsonObject
                                {
                                    ["webhook-id"] = r.Id,
                                    ["webhook-timestamp"] = r.Timestamp,
                                    ["webhook-signature"] = r.Signature,
                                },
                            }
                    ),
                ]).ToJsonString()
            );
            await File.WriteAllTextAsync(
                Path.Combine(folder, "verify.js"),
                """
                const { Webhook } = require('standardwebhooks');
                const hook = new Webhook(process.env.SECRET);
                const all = JSON.parse(require('fs').readFileSync('received.json', 'utf8'));
                let now;
                Date.now = () => now; // The library refuses what is older than five minutes; this is read after the last delivery.
                const refused = body => all.filter(r => { now = r.headers['webhook-timestamp'] * 1000; try { hook.verify(body(r), r.headers); return false; } catch { return true; } }).length;
                console.log(refused(r => r.body), refused(r => r.body + ' '));
                """
            );
            Assert.Equal($"0 {received.Count}", (await Tool.Run(folder, node, ["verify.js"], ("SECRET", secret))).Trim());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
