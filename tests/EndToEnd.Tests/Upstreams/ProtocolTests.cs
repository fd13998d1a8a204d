using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Bff.EndToEnd.Upstreams;

/// <summary>Protocols other than plain REST: gRPC, GraphQL, WebSocket and pictures.</summary>
public sealed class ProtocolTests(Services services) : IClassFixture<Services>
{
    [Fact]
    public async Task The_catalogue_answers_a_unary_call_with_one_frame_and_a_trailer()
    {
        using var answer = await services.AskAsync("catalog");
        var frame = await answer.Content.ReadAsByteArrayAsync();
        Assert.Equal("application/grpc", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(frame.Length - 5, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(1)));
        Assert.Equal([0x0a, 3, .. "p-1"u8, 0x12, 10, .. "Trail Shoe"u8], frame[5..22]);
        Assert.Equal("0", Assert.Single(answer.TrailingHeaders.GetValues("grpc-status")));
    }

    [Theory]
    [InlineData("GetProduct", "p-999", "5", 0)]
    [InlineData("GetProducts", "p-999", "0", 5)]
    [InlineData("Elsewhere", "p-1", "12", 0)]
    public async Task A_gRPC_call_ends_with_its_status(string method, string id, string status, int bytes)
    {
        using var answer = await services.SendAsync(
            "catalog",
            "POST",
            $"/catalog.v1.ProductCatalog/{method}",
            Services.Frame([0x0a, (byte)id.Length, .. Encoding.ASCII.GetBytes(id)])
        );
        Assert.Equal(bytes, (await answer.Content.ReadAsByteArrayAsync()).Length);
        // An answer without a message has only headers, which carry the status.
        Assert.Equal(
            status,
            Assert.Single(answer.TrailingHeaders.TryGetValues("grpc-status", out var last) ? last : answer.Headers.GetValues("grpc-status"))
        );
    }

    [Theory]
    [InlineData(
        """{"query":"{ pricing(productId: \"p-1\") { productId current currency discount { percentage validUntil } } }"}""",
        """{"data":{"pricing":{"productId":"p-1","current":49.99,"currency":"EUR","discount":null}}}"""
    )]
    [InlineData(
        """{"query":"query Prices($ids: [ID!]!) { all: prices(productIds: $ids) { id: productId } }","variables":{"ids":["p-2","p-999","p-1"]}}""",
        """{"data":{"all":[{"id":"p-2"},{"id":"p-1"}]}}"""
    )]
    [InlineData(
        """{"query":"query($id: ID! = \"p-1\") { # why\n one: pricing(productId: $id) { current } two: prices(productIds: [$id, \"p-1\"]) { currency } }"}""",
        """{"data":{"one":{"current":49.99},"two":[{"currency":"EUR"}]}}"""
    )]
    public async Task Prices_are_queried_inline_by_variable_and_by_alias(string query, string expected)
    {
        using var answer = await services.SendAsync("pricing", "POST", "/graphql", Services.Json(query));
        Assert.Equal(expected, await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("""{"query":"{ pricing(productId: \"p-999\") { current } }"}""")]
    [InlineData("""{"query":"{ pricing(productId: \"p-1\") { cost } }"}""")]
    [InlineData("""{"query":"{ pricing { current } }"}""")]
    [InlineData("""{"query":"query($ids: [ID!]!) { prices(productIds: $ids) { current } }"}""")]
    [InlineData("""{"query":"mutation { pricing(productId: \"p-1\") { current } }"}""")]
    [InlineData("""{"query":"{ pricing(productId: \"p-1\") { current "}""")]
    [InlineData("""{"query":"{ ...everything }"}""")]
    [InlineData("""{"query":"{a{a{a{a{a{a{a{a{a{a{a}}}}}}}}}}}"}""")]
    public async Task A_query_that_fails_is_a_200_with_errors(string query)
    {
        using var answer = await services.SendAsync("pricing", "POST", "/graphql", Services.Json(query));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.NotEmpty((await answer.Content.ReadFromJsonAsync<JsonNode>())!["errors"]!.AsArray());
    }

    [Fact]
    public async Task A_socket_receives_each_notification_of_its_user()
    {
        using var timeLimit = new CancellationTokenSource(Services.WaitLimit);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("X-User-Id", "u-1001");
        await socket.ConnectAsync(
            new UriBuilder(services.All.Notifications.Address) { Scheme = "ws", Path = "/ws/notifications" }.Uri,
            timeLimit.Token
        );
        Assert.Equal("n-1001-12", await NextAsync());

        services.All.Notifications.Push("u-1002", "message", "not for u-1001", "");
        using var added = await services.SendAsync(
            "notifications",
            "POST",
            "/users/u-1001/notifications",
            Services.Json("""{"title":"new"}""")
        );
        Assert.Equal((string?)(await added.Content.ReadFromJsonAsync<JsonNode>())!["id"], await NextAsync());

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, timeLimit.Token);
        Assert.Equal(WebSocketState.Closed, socket.State);

        async Task<string?> NextAsync()
        {
            var buffer = new byte[4096];
            var message = await socket.ReceiveAsync(buffer, timeLimit.Token);
            Assert.Equal((WebSocketMessageType.Text, true), (message.MessageType, message.EndOfMessage));
            return (string?)JsonNode.Parse(buffer.AsSpan(0, message.Count))!["id"];
        }
    }

    [Theory]
    [InlineData("/media/large/p-1.jpg", 1600, 1200)]
    [InlineData("/media/large/p-300-2.jpg", 1600, 1200)]
    [InlineData("/media/thumb/u-1001.jpg", 200, 150)]
    public async Task A_picture_is_a_JPEG_of_its_size(string path, int width, int height)
    {
        using var answer = await services.SendAsync("media", "GET", path);
        var picture = await answer.Content.ReadAsByteArrayAsync();
        Assert.Equal("image/jpeg", answer.Content.Headers.ContentType?.MediaType);
        Assert.True(answer.Headers.CacheControl!.Public);
        Assert.Equal([0xff, 0xd8, 0xff, 0xe0], picture[..4]);
        Assert.Equal([0xff, 0xd9], picture[^2..]);
        var frame = picture.AsSpan().IndexOf(new byte[] { 0xff, 0xc0 });
        Assert.Equal((height, width), (picture[frame + 5] << 8 | picture[frame + 6], picture[frame + 7] << 8 | picture[frame + 8]));
    }

    [Fact]
    public async Task A_picture_is_served_in_ranges_and_as_304_when_it_is_known()
    {
        using var whole = await services.SendAsync("media", "GET", "/media/thumb/p-1.jpg");
        var picture = await whole.Content.ReadAsByteArrayAsync();
        using var known = await services.SendAsync(
            "media",
            "GET",
            "/media/thumb/p-1.jpg",
            headers: h => h.IfNoneMatch.Add(whole.Headers.ETag!)
        );
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
        using var part = await services.SendAsync(
            "media",
            "GET",
            "/media/thumb/p-1.jpg",
            headers: h => h.Range = new RangeHeaderValue(100, 199)
        );
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(picture[100..200], await part.Content.ReadAsByteArrayAsync());
        using var beyond = await services.SendAsync(
            "media",
            "GET",
            "/media/thumb/p-1.jpg",
            headers: h => h.Range = new RangeHeaderValue(10_000_000, null)
        );
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
    }
}
