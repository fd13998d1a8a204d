using System.Globalization;

namespace PartnerBff.Tests.Keys;

/// <summary>A credential can grant at most what it has itself.</summary>
public sealed class KeyGrantTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Theory, InlineData(false), RedisData(true)]
    public async Task A_key_makes_and_rotates_no_key_with_scopes_that_it_does_not_have(bool withRedis)
    {
        var host = await Started(withRedis);
        var manager = await CreateKey(host, AcmeKey, ["keys.manage"]);
        var strong = await CreateKey(host, AcmeKey, ["orders.read", "keys.manage"]);

        var refused = await Problem(
            await Create(host, (string)manager["key"]!, ["keys.manage", "orders.read", "orders.write"]),
            403,
            "insufficient_scope"
        );
        Assert.Contains("orders.read, orders.write", (string)refused["detail"]!, StringComparison.Ordinal);
        await Problem(await Create(host, (string)manager["key"]!, ["orders.read"], mode: "test"), 403, "insufficient_scope");
        await Problem(await Rotate(host, (string)manager["key"]!, strong), 403, "insufficient_scope");
        Assert.Equal(HttpStatusCode.OK, (await Get(host, "/v1/orders", (string)strong["key"]!)).StatusCode);
        Assert.Null(Listed(await Json(await Get(host, "/v1/api-keys", AcmeKey)), strong)["expires_at"]); // Not even the overlap began.

        var equal = await CreateKey(host, (string)manager["key"]!, ["keys.manage"]);
        Assert.Equal(
            ["keys.manage"],
            (await Json(await Rotate(host, (string)manager["key"]!, equal), 201))["scopes"]!.AsArray().Select(s => (string)s!)
        );
        Assert.Equal(
            ["orders.read", "keys.manage"],
            (await Json(await Rotate(host, (string)strong["key"]!, strong), 201))["scopes"]!.AsArray().Select(s => (string)s!)
        );
        Assert.Equal(
            HttpStatusCode.NoContent,
            (await Send(host, HttpMethod.Delete, "/v1/api-keys/" + strong["id"], (string)manager["key"]!)).StatusCode
        ); // Ending a key grants nothing.
    }

    [Theory, InlineData(false), RedisData(true)]
    public async Task A_key_makes_and_rotates_no_key_that_outlives_it(bool withRedis)
    {
        var host = await Started(withRedis);
        var endless = await CreateKey(host, AcmeKey, ["keys.manage"]);
        var ending = await CreateKey(host, AcmeKey, ["keys.manage"], "2999-01-01T00:00:00Z");
        var key = (string)ending["key"]!;

        Assert.Equal("2999-01-01T00:00:00Z", Utc((await CreateKey(host, key, ["keys.manage"]))["expires_at"]));
        Assert.Equal("2998-01-01T00:00:00Z", Utc((await CreateKey(host, key, ["keys.manage"], "2998-01-01T00:00:00Z"))["expires_at"]));
        await Problem(await Create(host, key, ["keys.manage"], "2999-01-01T00:00:01Z"), 403, "forbidden");
        await Problem(await Rotate(host, key, endless), 403, "forbidden");
        Assert.Equal("2999-01-01T00:00:00Z", Utc((await Json(await Rotate(host, key, ending), 201))["expires_at"]));
    }

    [Fact]
    public async Task A_replaced_key_makes_no_key_that_outlives_it()
    {
        var host = Start();
        var leaked = await CreateKey(host, AcmeKey, ["keys.manage"]);
        await Json(await Rotate(host, AcmeKey, leaked), 201);

        await Problem(await Rotate(host, (string)leaked["key"]!, leaked), 403, "forbidden");
        var last = await CreateKey(host, (string)leaked["key"]!, ["keys.manage"]);
        // The new key ends with the overlap of the old one.
        Assert.Equal(Utc(Listed(await Json(await Get(host, "/v1/api-keys", AcmeKey)), leaked)["expires_at"]), Utc(last["expires_at"]));
    }

    [Fact]
    public async Task A_token_grants_its_scopes_until_it_expires()
    {
        var host = Start();
        var token = Surroundings.Token("client", "keys.manage orders.read", new JsonObject { ["tid"] = "acme" });
        await Problem(await Create(host, token, ["orders.write"]), 403, "insufficient_scope");
        await Problem(await Create(host, token, ["orders.read"], "2999-01-01T00:00:00Z"), 403, "forbidden");
        var made = await CreateKey(host, token, ["orders.read"]);
        Assert.InRange(
            DateTimeOffset.Parse((string)made["expires_at"]!, CultureInfo.InvariantCulture),
            DateTimeOffset.UtcNow,
            DateTimeOffset.UtcNow.AddDays(1)
        );
        await Json(await Get(host, "/v1/orders", (string)made["key"]!));
        var endless = await CreateKey(host, AcmeKey, ["orders.read"]);
        await Problem(await Rotate(host, token, endless), 403, "forbidden");
    }

    [Theory, InlineData(false), RedisData(true)]
    public async Task A_key_works_only_from_its_own_addresses_and_grants_no_others(bool withRedis)
    {
        var host = await Started(withRedis);
        string[] scopes = ["keys.manage", "orders.read"];
        var here = await MadeFor(host, AcmeKey, scopes, "127.0.0.0/8", "::1");
        var elsewhere = await MadeFor(host, AcmeKey, scopes, "203.0.113.0/24");
        Assert.Equal(["203.0.113.0/24"], Networks(elsewhere));
        Assert.Equal(["127.0.0.0/8", "::1"], Networks(Listed(await Json(await Get(host, "/v1/api-keys", AcmeKey)), here)));

        await Problem(await Get(host, "/v1/orders", (string)elsewhere["key"]!), 403, "address_not_allowed");
        Assert.Equal(HttpStatusCode.OK, (await Get(host, "/v1/orders", (string)here["key"]!)).StatusCode);

        var key = (string)here["key"]!;
        await Problem(await CreateFor(host, key, scopes, "127.0.0.1", "0.0.0.0/0"), 403, "forbidden");
        await Problem(await Rotate(host, key, await CreateKey(host, AcmeKey, scopes)), 403, "forbidden");
        Assert.Equal(["127.0.0.0/8", "::1/128"], Networks(await CreateKey(host, key, scopes)));
        Assert.Equal(["127.0.0.1"], Networks(await MadeFor(host, key, scopes, "127.0.0.1")));
        Assert.Equal(["127.0.0.0/8", "::1"], Networks(await Json(await Rotate(host, key, here), 201)));
        await Problem(await CreateFor(host, AcmeKey, scopes, "127.0.0.0/33"), 400, "validation_failed");

        var audit = await Json(
            await Send(host, HttpMethod.Get, "/internal/audit?tenant=acme&action=key.created", Surroundings.Token("operator", "audit.read"))
        );
        var entry = audit["data"]!.AsArray().Single(e => (string)e!["target"]! == (string)elsewhere["id"]!)!;
        Assert.Equal(["203.0.113.0/24"], Networks(entry["after"]!));
        Assert.EndsWith("Z", (string)entry["at"]!, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Networks(JsonNode key) => key["allowed_addresses"]!.AsArray().Select(n => (string)n!);

    private static async Task<JsonObject> MadeFor(PartnerHost host, string credential, string[] scopes, params string[] addresses) =>
        await Json(await CreateFor(host, credential, scopes, addresses), 201);

    private static Task<HttpResponseMessage> CreateFor(PartnerHost host, string credential, string[] scopes, params string[] addresses) =>
        Send(
            host,
            HttpMethod.Post,
            "/v1/api-keys",
            credential,
            new JsonObject
            {
                ["name"] = "a key",
                ["scopes"] = new JsonArray([.. scopes.Select(s => (JsonNode)s)]),
                ["allowed_addresses"] = new JsonArray([.. addresses.Select(a => (JsonNode)a)]),
            }
        );

    private async Task<PartnerHost> Started(bool withRedis)
    {
        var host = Start(redis: withRedis ? StartRedis() : null);
        if (withRedis)
        {
            await Connected(host);
        }

        return host;
    }

    private static async Task<JsonObject> CreateKey(PartnerHost host, string credential, string[] scopes, string? expiresAt = null) =>
        await Json(await Create(host, credential, scopes, expiresAt), 201);

    private static Task<HttpResponseMessage> Create(
        PartnerHost host,
        string credential,
        string[] scopes,
        string? expiresAt = null,
        string mode = "live"
    ) =>
        Send(
            host,
            HttpMethod.Post,
            "/v1/api-keys",
            credential,
            new JsonObject
            {
                ["name"] = "a key",
                ["mode"] = mode,
                ["scopes"] = new JsonArray([.. scopes.Select(s => (JsonNode)s)]),
                ["expires_at"] = expiresAt,
            }
        );

    private static Task<HttpResponseMessage> Rotate(PartnerHost host, string credential, JsonObject key) =>
        Send(host, HttpMethod.Post, $"/v1/api-keys/{key["id"]}/rotate", credential);

    private static JsonNode Listed(JsonObject list, JsonObject key) =>
        list["data"]!.AsArray().Single(k => (string)k!["id"]! == (string)key["id"]!)!;

    private static string Utc(JsonNode? time) =>
        DateTimeOffset
            .Parse((string)time!, CultureInfo.InvariantCulture)
            .UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
