using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json.Nodes;
using Bff.Admission;
using Bff.Composition;
using Bff.Requests;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using static Bff.Composition.Durations;

namespace Bff.Shared.Tests.Composition.Progressive;

/// <summary>Tests how the stages around a composition handle an answer that starts before all its parts are ready.</summary>
public sealed class ProgressivePipelineTests : IAsyncLifetime
{
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RecipeBench _bench = null!;
    private int _shaped;

    public async Task InitializeAsync()
    {
        _bench = await RecipeBench.Start(
            app =>
            {
                app.MapGet("/slow/{id}", Slow).Named("slow").AllowAnonymous();
                app.MapGet("/thrown/{id}", Thrown).Named("thrown").AllowAnonymous();
                app.MapGet("/dropped/{id}", Dropped).Named("dropped").AllowAnonymous();
                app.MapGet("/listed/{id}", Listed).Named("listed").AllowAnonymous();
                app.MapGet("/written", Written).Named("written").AllowAnonymous();
            },
            ("Composition:slow:FirstAfter", "00:00:00"),
            ("Composition:thrown:FirstAfter", "00:00:00"),
            ("Composition:dropped:FirstAfter", "00:00:00"),
            ("Composition:Deadline", "00:01:00"),
            ("Upstreams:shop:Timeout", "00:01:00"),
            ("Upstreams:shop:MaxResponseBytes", "67108864")
        );
        _bench.Says("GET /profiles/c-1", """{"name":"Ann"}""", 200, ("ETag", "\"v1\""));
        _bench.Answers["GET /products/c-1"] = async context =>
        {
            context.RequestAborted.Register(() => _left.TrySetResult());
            _arrived.TrySetResult();
            await _go.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsJsonAsync(new { id = "p-1" });
        };
    }

    public async Task DisposeAsync()
    {
        _go.TrySetResult();
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task An_answer_holds_one_admission_slot_until_its_last_line()
    {
        var gate = _bench.Gateway.Services.GetRequiredService<AdmissionGate>();
        using var answer = await Ask("/slow/c-1");
        Assert.True(await answer.Next());
        Assert.Equal(1, gate.InFlight);

        _go.SetResult();
        await answer.All();

        await Eventually.True(() => gate.InFlight == 0);
    }

    [Fact]
    public async Task Each_part_of_an_answer_is_measured_once()
    {
        var parts = new ConcurrentQueue<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, me) =>
            {
                if (instrument.Name == "bff.composition.part.duration")
                {
                    me.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>(
            (_, _, tags, _) =>
            {
                var (endpoint, part, status) = ((string?)tags[0].Value, (string?)tags[1].Value, (string?)tags[2].Value);
                if (endpoint == "slow")
                {
                    parts.Enqueue($"{part} {status}");
                }
            }
        );
        listener.Start();
        using var answer = await Ask("/slow/c-1");
        Assert.True(await answer.Next());
        Assert.Empty(parts); // Parts are measured when the answer has ended.

        _go.SetResult();
        await answer.All();

        Assert.Equal(["account live", "product live"], parts.Order());
    }

    [Fact]
    public async Task An_answer_that_fails_after_its_first_line_is_cut_off()
    {
        using var answer = await Ask("/thrown/c-1");
        Assert.True(await answer.Next());
        Assert.Equal(["product"], answer.Pending);

        _go.SetResult();

        await Assert.ThrowsAnyAsync<Exception>(answer.All);
        Assert.Equal(["product"], answer.Pending);
        Assert.Contains(_bench.Gateway.Log.Entries, e => e.Event.Name == "RequestFailedUnexpectedly");
    }

    [Fact]
    public async Task An_endpoint_that_throws_cancels_the_calls_of_its_parts()
    {
        using var answer = await Ask("/dropped/c-1");

        Assert.Equal(HttpStatusCode.InternalServerError, answer.Response.StatusCode);
        await _left.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_slow_client_receives_every_part()
    {
        using var answer = await Ask("/slow/c-1");

        _go.SetResult();
        await Eventually.True(() => _bench.Gateway.Services.GetRequiredService<AdmissionGate>().InFlight == 0);

        Assert.Equal("p-1", (string?)(await answer.All())["product"]!["id"]);
    }

    [Fact]
    public async Task A_client_that_reads_nothing_delays_no_part_and_frees_its_slot_when_it_disconnects()
    {
        // The body is larger than the socket buffers.
        _bench.Says("GET /profiles/c-1", $$"""{"name":"{{new string('a', 32 * 1024 * 1024)}}"}""");
        var gate = _bench.Gateway.Services.GetRequiredService<AdmissionGate>();
        var ended = new TaskCompletionSource();
        var service = _bench.Answers["GET /products/c-1"];
        _bench.Answers["GET /products/c-1"] = async context =>
        {
            await service(context);
            ended.SetResult();
        };
        using (await Ask("/slow/c-1"))
        {
            _go.SetResult();
            await ended.Task.WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(1, gate.InFlight);
        }

        await Eventually.True(() => gate.InFlight == 0);
        Assert.DoesNotContain(_bench.Gateway.Log.Entries, e => e.Event.Name == "RequestFailedUnexpectedly");
    }

    [Fact]
    public async Task A_host_that_stops_lets_an_answer_end()
    {
        using var answer = await Ask("/slow/c-1");
        Assert.True(await answer.Next());

        var stopping = _bench.Gateway.App.StopAsync();
        Assert.True(_bench.Gateway.App.Lifetime.ApplicationStopping.IsCancellationRequested);
        _go.SetResult();

        Assert.Equal("p-1", (string?)(await answer.All())["product"]!["id"]);
        await stopping.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task The_Server_Timing_header_has_the_parts_of_the_first_line()
    {
        using var answer = await Ask("/slow/c-1");
        var timing = answer.Response.Headers.GetValues("Server-Timing").Single();
        _go.SetResult();

        Assert.StartsWith("account;", timing, StringComparison.Ordinal);
        Assert.DoesNotContain("product", timing, StringComparison.Ordinal);
        Assert.Contains("total;", timing, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_without_meta_is_one_line_and_keeps_its_validators()
    {
        using var answer = await Ask("/account/c-1");
        await answer.All();

        Assert.Single(answer.Lines);
        Assert.Equal("\"v1\"", answer.Response.Headers.ETag!.ToString());
        Assert.Equal("application/x-ndjson", answer.Response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task An_answer_with_a_write_is_one_document_even_for_a_GET()
    {
        _bench.Says("POST /exports", """{"id":"x-1"}""", 202);

        var (answer, document) = await _bench.Send(HttpMethod.Get, "/written", ("Accept", "application/x-ndjson, application/json;q=0.5"));

        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("x-1", (string?)document!["id"]);
    }

    [Fact]
    public async Task An_answer_without_meta_waits_for_all_its_parts()
    {
        var asking = Ask("/listed/c-1");
        await Eventually.True(() => _bench.Asked.Contains("GET /products/c-1"));
        _go.SetResult();

        using var answer = await asking;
        await answer.All();

        Assert.Equal("p-1", (string?)Assert.Single(answer.Lines)["product"]!["id"]);
    }

    [Fact]
    public async Task The_OpenAPI_document_lists_the_line_format_only_for_GET()
    {
        var document = JsonNode.Parse(await _bench.Gateway.Client.GetStringAsync("/openapi/recipes.json"))!;
        var paths = document["paths"]!.AsObject();

        Assert.Equal(
            ["application/json", "application/x-ndjson"],
            paths["/slow/{id}"]!["get"]!["responses"]!["200"]!["content"]!.AsObject().Select(c => c.Key)
        );
        Assert.All(
            paths.SelectMany(p => p.Value!.AsObject()).Where(o => o.Key != "get"),
            o => Assert.DoesNotContain("x-ndjson", o.Value!.ToJsonString(), StringComparison.Ordinal)
        );
    }

    private Task<AnswerInLines> Ask(string path) => AnswerInLines.Ask(_bench.Gateway.Client, new HttpRequestMessage(HttpMethod.Get, path));

    private static Task<Composed<SlowView>> Slow(string id, Composer composer, IShop shop)
    {
        var account = composer.Required("account", shop.Account(id)).Timeout(Minutes(1));
        var product = composer.Optional("product", shop.Product(id)).Timeout(Minutes(1));
        return composer.Compose(() => View(account, product), RecipeJson.Default.SlowView);
    }

    private static Task<Composed<OrderView>> Written(Composer composer, IShop shop)
    {
        var export = composer.Write("export", shop.Export());
        return composer.Compose(() => new OrderView(export.Value.Id), RecipeJson.Default.OrderView);
    }

    private Task<Composed<SlowView>> Thrown(string id, Composer composer, IShop shop)
    {
        var account = composer.Required("account", shop.Account(id)).Timeout(Minutes(1));
        var product = composer.Optional("product", shop.Product(id)).Timeout(Minutes(1));
        return composer.Compose(
            () => Interlocked.Increment(ref _shaped) == 1 ? View(account, product) : throw new InvalidOperationException("as told"),
            RecipeJson.Default.SlowView
        );
    }

    private async Task<Composed<SlowView>> Dropped(string id, Composer composer, IShop shop)
    {
        await Slow(id, composer, shop);
        await _arrived.Task;
        throw new InvalidOperationException("as told");
    }

    private static async Task<Composed<SlowView>> Listed(string id, Composer composer, IShop shop) =>
        (await Slow(id, composer, shop)).WithoutMeta();

    private static SlowView View(Part<Account> account, Part<Item> product) => new(account.Value!.Name, product.Value);
}

public sealed record SlowView(string Name, Item? Product);
