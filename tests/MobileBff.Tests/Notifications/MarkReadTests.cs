namespace MobileBff.Tests.Notifications;

public sealed class MarkReadTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task A_notification_is_marked_as_read_once()
    {
        var host = Start();
        var id = Upstream.Notifications.Push("u-1001", "order", "Shipped", "On its way");
        var before = (int)(await Ok(await host.Get("/home-feed")))["unread"]!;
        Upstream.Notifications.Calls.Clear();

        var response = await host.Client.SendAsync(host.Request(HttpMethod.Post, $"/notifications/{id}/read"));

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal($"/users/u-1001/notifications/{id}/read", Assert.Single(Upstream.Notifications.Calls.All).Path);
        Assert.Equal(before - 1, (int)(await Ok(await host.Get("/home-feed")))["unread"]!);
    }

    [Theory]
    [InlineData(FaultMode.Reset, 502, "upstream_failed")]
    [InlineData(FaultMode.Status, 502, "upstream_failed")]
    public async Task A_mark_is_sent_once_and_without_a_body_even_when_a_reused_connection_breaks(FaultMode mode, int status, string code)
    {
        var host = Start();
        await Ok(await host.Get("/home-feed")); // Opens a connection that is kept alive.
        Upstream.Notifications.Calls.Clear();
        Upstream.Notifications.Faults.Set(mode);

        await Problem(await host.Client.SendAsync(host.Request(HttpMethod.Post, "/notifications/n-1/read")), status, code);

        Assert.Equal(1, Upstream.Notifications.Calls.Count);
    }

    [Fact]
    public async Task An_unknown_notification_is_not_found() =>
        Assert.Equal(
            HttpStatusCode.NotFound,
            (
                Start() is var host ? await host.Client.SendAsync(host.Request(HttpMethod.Post, "/notifications/n-none/read")) : null
            )!.StatusCode
        );
}
