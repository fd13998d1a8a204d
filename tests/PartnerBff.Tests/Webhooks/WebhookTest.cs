using System.Security.Cryptography;
using System.Text;
using Bff.Events;
using Microsoft.Extensions.DependencyInjection;

namespace PartnerBff.Tests.Webhooks;

/// <summary>Starts hosts whose partners' endpoints are on loopback.</summary>
public abstract class WebhookTest(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    protected PartnerHost StartForWebhooks(
        Dictionary<string, string?>? settings = null,
        RedisServer? redis = null,
        Action<IServiceCollection>? services = null
    )
    {
        var all = new Dictionary<string, string?> { ["Webhooks:AllowPrivateNetworks"] = "true", ["Webhooks:Jitter"] = "0" };
        foreach (var (key, value) in settings ?? [])
        {
            all[key] = value;
        }

        return Start(all, redis, services);
    }

    protected static Task Publish(PartnerHost host, string tenant, string type = "order.shipped", int number = 0) =>
        Publish(host, tenant, type, [number]);

    protected static Task Publish(PartnerHost host, string tenant, string type, IEnumerable<int> numbers) =>
        host
            .Services.GetRequiredService<IEventLog>()
            .Append(
                [
                    .. numbers.Select(n => new NewEvent(
                        new EventHead
                        {
                            Source = "/tests",
                            SourceId = $"{Guid.NewGuid():N}",
                            Type = type,
                            Tenant = tenant,
                        },
                        Encoding.UTF8.GetBytes($$"""{"n":{{n}}}""")
                    )),
                ],
                default
            );

    protected static async Task<JsonObject> Create(PartnerHost host, string url, string? credential = null, params string[] types) =>
        await Json(
            await Send(
                host,
                HttpMethod.Post,
                "/v1/webhook-endpoints",
                credential ?? AcmeKey,
                new JsonObject
                {
                    ["url"] = url,
                    ["types"] = new JsonArray([.. (types.Length == 0 ? ["*"] : types).Select(t => (JsonNode)t)]),
                }
            ),
            201
        );

    protected static async Task<List<JsonNode>> Deliveries(PartnerHost host, JsonObject endpoint) =>
        [
            .. (await Json(await Get(host, $"/v1/webhook-endpoints/{endpoint["id"]}/deliveries", AcmeKey)))["data"]!
                .AsArray()
                .Select(d => d!),
        ];

    internal static bool Verifies(Received received, string secret) =>
        received
            .Signature.Split(' ')
            .Contains(
                "v1,"
                    + Convert.ToBase64String(
                        HMACSHA256.HashData(
                            Convert.FromBase64String(secret["whsec_".Length..]),
                            Encoding.UTF8.GetBytes($"{received.Id}.{received.Timestamp}.{received.Body}")
                        )
                    )
            );

    protected static Task Until(Func<bool> holds) => Bff.TestKit.Eventually.True(holds, TimeSpan.FromSeconds(90));

    protected static Task Until(Func<Task<bool>> holds) => Bff.TestKit.Eventually.True(holds, TimeSpan.FromSeconds(90));
}
