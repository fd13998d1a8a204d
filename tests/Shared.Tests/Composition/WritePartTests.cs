using System.Net;
using System.Net.Sockets;
using Bff.Callers.Clients;
using Bff.Composition;
using Bff.Requests;
using Bff.TestKit;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Refit;

namespace Bff.Shared.Tests.Composition;

public interface IReadsAsWrite
{
    [Get("/orders")]
    UpstreamWrite<Stored> List();
}

public interface IWritesAsRead
{
    [Delete("/orders")]
    UpstreamCall<Stored> Clear();
}

/// <summary>Tests writes that run beside other parts.</summary>
public sealed class WritePartTests : IAsyncLifetime
{
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RecipeBench _bench = null!;

    public async Task InitializeAsync()
    {
        _bench = await RecipeBench.Start(
            app =>
            {
                app.MapPost("/beside", Beside).Named("beside").AllowAnonymous();
                app.MapPost("/undone", Undone).Named("undone").AllowAnonymous();
                app.MapPost("/unneeded", Unneeded).Named("unneeded").AllowAnonymous();
            },
            ("Upstreams:shop:Retries", "0")
        );
        _bench.Answers["POST /orders"] = async context =>
        {
            _arrived.TrySetResult();
            var gone = new TaskCompletionSource();
            await using var registration = context.RequestAborted.Register(() => gone.TrySetResult());
            await Task.WhenAny(_goOn.Task, gone.Task);
            _ended.TrySetResult(!gone.Task.IsCompleted);
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"id":"o-1"}""");
        };
        _bench.Says("POST /orders/o-1/cancel", "", 204);
        _bench.Answers["GET /products/p-1"] = async context =>
        {
            await _arrived.Task; // The service has received the write.
            context.Response.StatusCode = 500;
        };
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Theory]
    [InlineData("/beside", false)]
    [InlineData("/undone", true)]
    public async Task A_write_that_is_sent_completes_although_another_part_has_failed(string path, bool isUndone)
    {
        var asking = _bench.Send(HttpMethod.Post, path);
        await _arrived.Task;
        await Eventually.True(() => _bench.Asked.Contains("GET /products/p-1"));
        Assert.False(asking.IsCompleted);
        _goOn.SetResult();

        var (answer, problem) = await asking;

        Assert.True(await _ended.Task);
        Assert.Equal((HttpStatusCode.BadGateway, "product"), (answer.StatusCode, (string?)problem!["section"]));
        Assert.Equal(isUndone, _bench.Asked.Contains("POST /orders/o-1/cancel"));
    }

    [Theory]
    [InlineData("/beside", false)]
    [InlineData("/undone", true)]
    public async Task A_client_that_disconnects_cancels_a_write_unless_it_may_have_to_be_undone(string path, bool isKnown)
    {
        _bench.Answers["GET /products/p-1"] = static context => Task.Delay(Timeout.Infinite, context.RequestAborted);
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(_bench.Gateway.Address.Host, _bench.Gateway.Address.Port);
            await client
                .GetStream()
                .WriteAsync(System.Text.Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"));
            await _arrived.Task;
            await Eventually.True(() => _bench.Asked.Contains("GET /products/p-1"));
        }

        if (isKnown)
        {
            _goOn.SetResult();
            await Eventually.True(() => _bench.Asked.Contains("POST /orders/o-1/cancel"));
        }

        Assert.Equal(isKnown, await _ended.Task);
    }

    [Fact]
    public async Task A_write_that_is_not_wanted_is_neither_sent_nor_counted()
    {
        _bench.Says("GET /products/p-1", """{"id":"p-1"}""");

        var (answer, document) = await _bench.Send(HttpMethod.Post, "/unneeded");

        Assert.Equal((HttpStatusCode.OK, 1), (answer.StatusCode, (int?)document!["_meta"]!["called"]));
        Assert.DoesNotContain("POST /orders", _bench.Asked);
    }

    /// <summary>Checks by reflection for endpoint code that must not compile.</summary>
    [Fact]
    public void A_write_is_accepted_only_by_Write_and_can_be_neither_cached_nor_replaced()
    {
        Assert.DoesNotContain(typeof(WritePart<>).GetMethods(), m => m.Name is "Cached" or "Otherwise" or "Fallback" or "At");
        Assert.False(typeof(UpstreamCall<Stored>).IsAssignableFrom(typeof(UpstreamWrite<Stored>)));
        Assert.DoesNotContain(
            typeof(Composer).GetMethods().Concat(typeof(ValueParts).GetMethods()).Where(m => m.Name is "Required" or "Optional"),
            m => m.GetParameters().Any(p => p.ParameterType.ToString().Contains("UpstreamWrite", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task A_client_method_whose_return_type_contradicts_its_HTTP_method_stops_the_host()
    {
        Assert.Contains("IReadsAsWrite.List reads", (await Stops<IReadsAsWrite>()).Message, StringComparison.Ordinal);
        Assert.Contains("IWritesAsRead.Clear writes", (await Stops<IWritesAsRead>()).Message, StringComparison.Ordinal);
    }

    private static Task<InvalidOperationException> Stops<TClient>()
        where TClient : class =>
        Assert.ThrowsAsync<InvalidOperationException>(() =>
            TestHost.Start(builder => builder.AddBffDefaults().AddUpstream<TClient>("shop"), app => app.UseBffPipeline())
        );

    private static Task<Composed<OrderView>> Beside(Composer composer, IShop shop)
    {
        composer.Required("product", shop.Product("p-1"));
        var order = composer.Write("order", shop.Place(new Draft("p-1")));
        return composer.Compose(() => new OrderView(order.Value.Id), RecipeJson.Default.OrderView);
    }

    private static Task<Composed<OrderView>> Undone(Composer composer, IShop shop)
    {
        composer.Required("product", shop.Product("p-1"));
        var order = composer.Write("order", shop.Place(new Draft("p-1"))).TakenBackBy(placed => shop.Cancel(placed.Id));
        return composer.Compose(() => new OrderView(order.Value.Id), RecipeJson.Default.OrderView);
    }

    private static Task<Composed<OrderView>> Unneeded(Composer composer, IShop shop)
    {
        var product = composer.Required("product", shop.Product("p-1"));
        var order = composer
            .Write("order", product, p => shop.Place(new Draft(p.Id)))
            .After(product, when: () => product.Value.Id == "p-2");
        return composer.Compose(() => new OrderView(order.Value?.Id ?? product.Value.Id), RecipeJson.Default.OrderView);
    }
}
