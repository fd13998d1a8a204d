using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json.Nodes;
using Bff.Composition;
using Bff.TestKit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Composition;

/// <summary>
/// Tests the recipes of docs/when-one-part-needs-another.md: the page contains each recipe, and each does what the page says.
/// </summary>
public sealed class RecipeTests : IAsyncLifetime
{
    private RecipeBench _bench = null!;

    public async Task InitializeAsync()
    {
        _bench = await RecipeBench.Start();
        _bench.Says("GET /customers/c-1", """{"id":"c-1","city":"Lyon"}""");
        _bench.Says("GET /products/p-1", """{"id":"p-1"}""");
        _bench.Says("GET /quotes", """{"days":3}""");
        _bench.Says("GET /prices/p-1", """{"value":5}""");
        _bench.Says("GET /list-prices/p-1", """{"value":7}""");
        _bench.Says("GET /points/c-1", "120");
        _bench.Says("GET /positions/c-1", """{"row":2,"shelf":4}""");
        _bench.Says("GET /shelves/2", """{"id":"s-2"}""");
        _bench.Says("POST /orders", """{"id":"o-1"}""", 201);
        _bench.Says("POST /payments", """{"id":"b-1"}""");
        _bench.Says("POST /orders/o-1/cancel", "", 204);
        _bench.Says("POST /exports", """{"id":"x-1"}""", 202);
        _bench.Answers["GET /products"] = Products;
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public void The_page_has_every_recipe_word_by_word()
    {
        var page = File.ReadAllText(Checkout.At("docs", "when-one-part-needs-another.md")).ReplaceLineEndings("\n");
        var recipes = File.ReadAllText(Checkout.At("tests", "Shared.Tests", "Composition", "Recipes.cs"))
            .ReplaceLineEndings("\n")
            .Split("    // recipe\n")
            .Skip(1)
            .Select(r => string.Join('\n', r.Split("    // end")[0].TrimEnd('\n').Split('\n').Select(l => l.Length > 4 ? l[4..] : "")))
            .ToList();

        Assert.NotEmpty(recipes);
        Assert.All(recipes, recipe => Assert.Contains(recipe, page, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_part_with_two_dependencies_is_fetched_with_both_values()
    {
        var (status, answer) = await _bench.Get("/delivery/c-1/p-1");

        Assert.Equal((200, "Lyon", 3), (status, (string?)answer!["city"], (int?)answer["days"]));
        Assert.Equal("GET /quotes", _bench.Asked[^1]);
    }

    [Fact]
    public async Task A_part_with_two_dependencies_is_degraded_with_either_of_them()
    {
        _bench.Says("GET /quotes", "{}", 500);
        Assert.Equal("failed", (string?)(await _bench.Get("/delivery/c-1/p-1")).Document!["_meta"]!["quote"]);

        _bench.Says("GET /products/p-1", "{}", 500);
        var (status, problem) = await _bench.Get("/delivery/c-1/p-1");
        Assert.Equal((502, "product"), (status, (string?)problem!["section"]));
    }

    [Theory]
    [InlineData(500, 7, "fallback")]
    [InlineData(404, null, "live")]
    public async Task A_fallback_call_is_made_when_the_first_call_fails_but_not_when_it_finds_nothing(int status, int? price, string became)
    {
        _bench.Says("GET /prices/p-1", "{}", status);

        var (answer, document) = await _bench.Send(HttpMethod.Get, "/price/p-1");

        Assert.Equal((200, price, became), ((int)answer.StatusCode, (int?)document!["price"], (string?)document["_meta"]!["price"]));
        Assert.Contains($"desc=\"{became}\"", answer.Headers.GetValues("Server-Timing").Single(), StringComparison.Ordinal);
        Assert.Equal(1, (int?)document["_meta"]!["called"]);
    }

    [Fact]
    public async Task A_batch_of_several_calls_is_one_part()
    {
        var (status, answer) = await _bench.Get("/basket?ids=" + string.Join(',', Enumerable.Range(0, 120).Select(i => $"p-{i}")));

        Assert.Equal((200, 120, 1), (status, (int?)answer!["count"], (int?)answer["_meta"]!["called"]));
        Assert.Equal(3, _bench.Asked.Count(a => a == "GET /products"));
    }

    [Fact]
    public async Task A_batch_fails_as_one_part_when_one_of_its_calls_fails()
    {
        _bench.Answers["GET /products"] = context =>
            context.Request.Query["ids"].ToString().StartsWith("p-50,", StringComparison.Ordinal) ? Fail(context) : Products(context);

        var (status, problem) = await _bench.Get("/basket?ids=" + string.Join(',', Enumerable.Range(0, 120).Select(i => $"p-{i}")));

        Assert.Equal((502, "products"), (status, (string?)problem!["section"]));
    }

    [Fact]
    public async Task A_created_resource_is_answered_with_its_location()
    {
        var (answer, document) = await _bench.Send(HttpMethod.Post, "/checkout/p-1");

        Assert.Equal(
            (HttpStatusCode.Created, "o-1", "/orders/o-1"),
            (answer.StatusCode, (string?)document!["id"], answer.Headers.Location?.OriginalString)
        );
        Assert.Equal(["GET /products/p-1", "POST /orders", "POST /payments"], _bench.Asked);
        Assert.Equal("""{"product":"p-1"}""", _bench.Body("POST /orders"));
        Assert.Equal("""{"called":3,"succeeded":3,"product":"live","order":"live","payment":"live"}""", document["_meta"]!.ToJsonString());
        Assert.Matches(
            "^product;dur=[0-9.]+;desc=\"live\", order;dur=[0-9.]+;desc=\"live\", payment;dur=[0-9.]+;desc=\"live\", total;dur=[0-9.]+$",
            answer.Headers.GetValues("Server-Timing").Single()
        );
    }

    [Fact]
    public async Task An_accepted_request_is_answered_with_a_location_and_Retry_After()
    {
        var (answer, document) = await _bench.Send(HttpMethod.Post, "/exports");

        Assert.Equal(
            (HttpStatusCode.Accepted, "x-1", "/exports/x-1"),
            (answer.StatusCode, (string?)document!["id"], answer.Headers.Location?.OriginalString)
        );
        Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter?.Delta);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(409)]
    [InlineData(410)]
    [InlineData(412)]
    [InlineData(422)]
    public async Task A_refusal_of_the_domain_reaches_the_client_and_the_write_before_it_is_undone(int status)
    {
        _bench.Says("POST /payments", """{"title":"Refused","detail":"No money."}""", status);

        var (answer, problem) = await _bench.Send(HttpMethod.Post, "/checkout/p-1");

        Assert.Equal((status, "Refused", "No money."), ((int)answer.StatusCode, (string?)problem!["title"], (string?)problem["detail"]));
        Assert.Equal("POST /orders/o-1/cancel", _bench.Asked[^1]);
        Assert.Contains(
            _bench.Gateway.Log.Entries,
            e => e.Level == LogLevel.Warning && e.Message.Contains("Part order of checkout was undone", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_write_is_undone_when_a_later_one_fails_and_a_failed_undo_is_logged()
    {
        _bench.Says("POST /payments", "{}", 500);
        _bench.Says("POST /orders/o-1/cancel", "{}", 500);

        var (answer, problem) = await _bench.Send(HttpMethod.Post, "/checkout/p-1");

        Assert.Equal((502, "payment"), ((int)answer.StatusCode, (string?)problem!["section"]));
        Assert.Equal(1, _bench.Asked.Count(a => a == "POST /orders/o-1/cancel"));
        Assert.Contains(
            _bench.Gateway.Log.Entries,
            e => e.Level == LogLevel.Error && e.Message.Contains("Part order of checkout could not be undone", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_write_whose_dependency_failed_is_not_sent()
    {
        _bench.Says("GET /products/p-1", "{}", 500);

        Assert.Equal(HttpStatusCode.BadGateway, (await _bench.Send(HttpMethod.Post, "/checkout/p-1")).Answer.StatusCode);
        Assert.Equal(["GET /products/p-1"], _bench.Asked.Distinct());
    }

    [Fact]
    public async Task A_write_that_is_switched_off_is_not_sent_and_the_write_before_it_is_undone()
    {
        await using var bench = await RecipeBench.Start(null, ("Composition:checkout:payment:Enabled", "false"));
        bench.Says("GET /products/p-1", """{"id":"p-1"}""");
        bench.Says("POST /orders", """{"id":"o-1"}""", 201);
        bench.Says("POST /orders/o-1/cancel", "", 204);

        var (answer, problem) = await bench.Send(HttpMethod.Post, "/checkout/p-1");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "payment"), (answer.StatusCode, (string?)problem!["section"]));
        Assert.Equal(["GET /products/p-1", "POST /orders", "POST /orders/o-1/cancel"], bench.Asked);
    }

    [Fact]
    public async Task Parts_may_be_numbers_and_structs_and_are_null_without_a_value()
    {
        var (_, answer) = await _bench.Get("/points/c-1");
        Assert.Equal((120, 4, "live"), ((int?)answer!["points"], (int?)answer["shelf"], (string?)answer["_meta"]!["shelf"]));

        foreach (var broken in (string[])["null", "\"many\"", "{}"])
        {
            _bench.Says("GET /points/c-1", broken);
            (_, answer) = await _bench.Get("/points/c-1");
            Assert.Equal((null, "failed"), ((int?)answer!["points"], (string?)answer["_meta"]!["points"]));
        }

        _bench.Says("GET /positions/c-1", "{}", 404);
        Assert.Equal(404, (await _bench.Get("/points/c-1")).Status);
    }

    [Fact]
    public async Task Each_kind_of_part_has_its_span_and_its_measurement()
    {
        _bench.Says("POST /payments", "{}", 409);
        var (spans, measured) = (new List<string>(), new List<string>());
        using var tracing = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Bff.Composition",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (spans)
                {
                    spans.Add($"{span.DisplayName}: {span.GetTagItem("bff.part.status")}");
                }
            },
        };
        ActivitySource.AddActivityListener(tracing);
        using var measuring = new MeterListener();
        measuring.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "bff.composition.part.duration")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        measuring.SetMeasurementEventCallback<double>(
            (_, _, tags, _) =>
            {
                var named = tags.ToArray().ToDictionary(t => t.Key, t => (string?)t.Value);
                lock (measured)
                {
                    if (named["endpoint"] == "checkout")
                    {
                        measured.Add($"{named["part"]}: {named["status"]}");
                    }
                }
            }
        );
        measuring.Start();

        await _bench.Send(HttpMethod.Post, "/checkout/p-1", ("traceparent", "00-11111111111111111111111111111111-2222222222222222-01"));

        Assert.Equal(
            ["product: live", "order: live", "payment: failed", "order: undone"],
            measured.OrderBy(m => Array.IndexOf(["product: live", "order: live", "payment: failed"], m) is >= 0 and var i ? i : 9)
        );
        Assert.Superset(
            new HashSet<string> { "part product: live", "part order: live", "part payment: failed", "take back order: undone" },
            spans.ToHashSet()
        );
    }

    [Fact]
    public async Task The_OpenAPI_document_lists_the_answers_and_problems_of_writes()
    {
        var (status, document) = await _bench.Get("/openapi/recipes.json");

        Assert.Equal(200, status);
        var answers = document!["paths"]!["/checkout/{productId}"]!["post"]!["responses"]!.AsObject().Select(a => a.Key).ToList();
        Assert.Contains("201", answers);
        Assert.DoesNotContain("200", answers);
        Assert.Contains("409", answers);
        Assert.Contains("202", document["paths"]!["/exports"]!["post"]!["responses"]!.AsObject().Select(a => a.Key));
        Assert.NotNull(document["paths"]!["/points/{id}"]!["get"]!["responses"]!["200"]);
        Assert.NotNull(document["paths"]!["/timeline"]!["get"]!["responses"]!["200"]);
        var change = document["paths"]!["/account/{id}"]!["put"]!;
        Assert.Contains(change["parameters"]!.AsArray(), p => ((string?)p!["name"], (string?)p["in"]) == ("If-Match", "header"));
        Assert.NotNull(change["responses"]!["412"]);
        var upload = document["paths"]!["/files/{id}"]!["put"]!;
        Assert.NotNull(upload["responses"]!["201"]);
        Assert.NotNull(upload["requestBody"]!["content"]!["image/png"]);
    }

    private static Task Fail(HttpContext context)
    {
        context.Response.StatusCode = 500;
        return Task.CompletedTask;
    }

    private static async Task Products(HttpContext context)
    {
        var ids = context.Request.Query["ids"].ToString().Split(',');
        Assert.InRange(ids.Length, 1, 50);
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(
            new JsonObject { ["items"] = new JsonArray([.. ids.Select(i => new JsonObject { ["id"] = i })]) }.ToJsonString()
        );
    }
}
