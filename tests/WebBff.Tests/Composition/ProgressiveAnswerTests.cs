namespace WebBff.Tests.Composition;

/// <summary>Progressive answers begin when their required parts have arrived, and continue as the others arrive.</summary>
public sealed class ProgressiveAnswerTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    /// <summary>
    /// Every composition with optional parts, and these parts in their order of arrival, each with its service where that has another name.
    /// </summary>
    public static TheoryData<string, string> Endpoints =>
        new()
        {
            { "/api/dashboard", "orders,notifications,recommendations" },
            { "/api/dashboard", "recommendations,notifications,orders" },
            { "/api/products?limit=5", "pricing,inventory" },
            { "/api/products?limit=5", "inventory,pricing" },
            { "/api/products/p-1", "pricing,inventory,reviews,related@recommendations" },
            { "/api/products/p-2", "related@recommendations,reviews,inventory,pricing" },
            { "/api/products/p-3?include=reviews,pricing", "reviews,pricing" },
            { "/api/orders/o-6801", "customer@users,products,shipping" },
            { "/api/orders/o-6801", "shipping,products,customer@users" },
        };

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task The_lines_make_the_plain_answer(string path, string parts)
    {
        var host = Start();
        var order = Split(parts);
        var held = order.ToDictionary(p => p.Part, p => Upstream[p.Service].Faults.Hold());

        using var answer = await Ask(host, path);
        Assert.True(await answer.Next());
        Assert.Equal(order.Select(p => p.Part).Order(), answer.Pending.Order());
        Assert.Empty(order.Select(p => p.Part).Intersect(answer.Answer["_meta"]!["sections"]!.AsObject().Select(s => s.Key)));
        foreach (var (part, _) in order)
        {
            held[part].Dispose();
            await answer.Until(part);
        }

        Assert.False(await answer.Next());
        using var plain = await host.Get(path);
        Assert.Equal(Essence(await Ok(plain)), Essence(answer.Answer));
        Assert.Equal(plain.Headers.NonValidated.Contains("Link"), answer.Response.Headers.NonValidated.Contains("Link"));
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task A_part_that_fails_later_has_the_status_of_the_plain_answer(string path, string parts)
    {
        var host = Start();
        var order = Split(parts);
        var released = order.ToDictionary(p => p.Part, _ => new TaskCompletionSource());
        foreach (var (part, service) in order)
        {
            Upstream[service].Faults.Set(new Fault { Mode = FaultMode.Garbage, Until = released[part].Task });
        }

        using var answer = await Ask(host, path);
        Assert.True(await answer.Next());
        foreach (var (part, _) in order)
        {
            released[part].SetResult();
            await answer.Until(part);
        }

        Assert.False(await answer.Next());
        var sections = answer.Answer["_meta"]!["sections"]!.AsObject();
        Assert.All(order, p => Assert.Contains((string)sections[p.Part]!["status"]!, (string[])["failed", "fallback"]));
        Assert.Equal(Essence(await Ok(await host.Get(path))), Essence(answer.Answer));
    }

    [Fact]
    public async Task Members_that_are_null_in_a_part_that_comes_later_are_named()
    {
        var path = await WithoutDiscount(Start());
        var host = Start();
        var held = Upstream.Pricing.Faults.Hold();
        using var answer = await Ask(host, path);
        Assert.True(await answer.Next());
        Assert.True(answer.Answer.ContainsKey("pricing") && answer.Answer["pricing"] is null);
        Assert.Null(answer.Answer["_meta"]!["nulls"]);

        held.Dispose();
        await answer.All();

        Assert.False(answer.Lines[^1]["pricing"]!.AsObject().ContainsKey("discount")); // In a patch, null would mean no discount.
        Assert.Equal("/pricing/discount", (string?)Assert.Single(answer.Lines[^1]["_meta"]!["nulls"]!.AsArray()));
        Assert.True(answer.Answer["pricing"]!.AsObject().ContainsKey("discount"));
        Assert.Equal(Essence(await Ok(await host.Get(path))), Essence(answer.Answer));
    }

    [Fact]
    public async Task A_session_is_answered_in_lines_too()
    {
        var host = Start();
        var browser = await SignedIn(host);
        using var held = Upstream.Orders.Faults.Hold();

        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(browser.Gateway, "/api/dashboard"))
        {
            Headers =
            {
                { "X-CSRF", "1" },
                { "Sec-Fetch-Site", "same-origin" },
                { "Prefer", "progressive" },
            },
        };
        using var answer = await AnswerInLines.Read(await browser.Send(request, HttpCompletionOption.ResponseHeadersRead));
        Assert.Equal("progressive", answer.Response.Headers.GetValues("Preference-Applied").Single());
        Assert.True(await answer.Next());
        held.Dispose();

        Assert.Equal(5, (await answer.All())["recentOrders"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_token_that_expires_during_an_answer_does_not_cut_it_off()
    {
        var (host, clock) = StartClocked(new() { ["Composition:dashboard:FirstAfter"] = "00:00:00" });
        var token = Surroundings.Identity.MintToken(new Bff.Dev.IdentityProvider.TokenRequest { ExpiresIn = TimeSpan.FromSeconds(2) });
        using var request = host.Request(HttpMethod.Get, "/api/dashboard", user: null);
        request.Headers.Authorization = new("Bearer", token);
        var held = Upstream.Orders.Faults.Hold();
        using var answer = await AnswerInLines.Ask(host.Client, request);
        Assert.True(await answer.Next());

        for (var looks = 0; looks < 40; looks++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Yield();
        }

        held.Dispose();
        Assert.Equal(5, (await answer.All())["recentOrders"]!.AsArray().Count);
        Assert.Empty(answer.Pending);
    }

    private static async Task<string> WithoutDiscount(WebHost host)
    {
        for (var i = 1; ; i++)
        {
            var path = $"/api/products/p-{i}?include=pricing";
            if ((await Ok(await host.Get(path)))["pricing"]!["discount"] is null)
            {
                return path;
            }
        }
    }

    private static (string Part, string Service)[] Split(string parts) =>
        [.. parts.Split(',').Select(p => p.Split('@')).Select(p => (p[0], p[^1]))];

    private static Task<AnswerInLines> Ask(WebHost host, string path) => AnswerInLines.Ask(host.Client, host.Request(HttpMethod.Get, path));

    private static string Essence(JsonObject answer) => AnswerInLines.Essence(answer);
}
