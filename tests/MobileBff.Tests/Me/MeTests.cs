using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace MobileBff.Tests.Me;

public sealed class MeTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task The_profile_has_the_mobile_preferences()
    {
        var me = await Ok(await Start().Get("/me"));

        Assert.Equal(
            """{"id":"u-1001","name":"Alice Moreau","email":"alice@example.com","avatar":"/images/u-1001.jpg?w=96","locale":"en-GB","preferences":{"theme":"dark","pushEnabled":true}}""",
            me.ToJsonString()
        );
    }

    [Fact]
    public async Task A_merge_patch_changes_what_it_names()
    {
        var host = Start();

        var me = await Ok(await Patch(host, """{"name":"Al","preferences":{"theme":"light"}}"""));

        Assert.Equal("Al", (string?)me["name"]);
        Assert.Equal("en-GB", (string?)me["locale"]);
        Assert.Equal("""{"theme":"light","pushEnabled":true}""", me["preferences"]!.ToJsonString());
        var call = Assert.Single(Upstream.Users.Calls.All);
        Assert.Equal(("PATCH", """{"name":"Al","preferences":{"mobile":{"theme":"light"}}}"""), (call.Method, call.BodyText));
    }

    [Theory]
    [InlineData("""{"plan":"enterprise"}""", "validation_failed")]
    [InlineData("""["name"]""", "malformed_request")]
    [InlineData("""{"name":"a","name":"b"}""", "malformed_request")]
    [InlineData("""{"name":""", "malformed_request")]
    public async Task A_body_that_is_not_a_merge_patch_is_refused(string body, string code)
    {
        await Problem(await Patch(Start(), body), 400, code);

        Assert.Equal(0, Upstream.Users.Calls.Count);
    }

    [Fact]
    public async Task A_refusal_by_the_service_reaches_the_client_in_its_own_words()
    {
        var response = await Patch(Start(), """{"name":7}""");

        Assert.Equal(422, (int)response.StatusCode);
        Assert.Contains("name and locale", (string?)(await Json(response))["detail"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FaultMode.Status, 502)]
    [InlineData(FaultMode.Reset, 502)]
    [InlineData(FaultMode.ResetMidBody, 502)]
    [InlineData(FaultMode.Hang, 504)]
    public async Task A_patch_is_sent_only_once_when_the_service_fails(FaultMode mode, int status)
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = Start(services: mode == FaultMode.Hang ? s => s.AddSingleton<TimeProvider>(clock) : null);
        await Ok(await host.Get("/me"));
        Upstream.Users.Calls.Clear();
        Upstream.Users.Faults.Set(mode);

        var patched = Patch(host, """{"name":"Al"}""");
        await Upstream.Users.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        clock.Advance(TimeSpan.FromSeconds(40)); // Longer than an attempt may take, shorter than the request may.
        Assert.Equal(status, (int)(await patched).StatusCode);

        Assert.Equal(1, Upstream.Users.Calls.Count);
    }

    [Fact]
    public async Task A_patch_of_another_type_is_refused() =>
        await Problem(await Patch(Start(), "name=Al", "application/x-www-form-urlencoded"), 415, "unsupported_media_type");

    private static Task<HttpResponseMessage> Patch(MobileHost host, string body, string type = "application/merge-patch+json")
    {
        var request = host.Request(HttpMethod.Patch, "/me");
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        return host.Client.SendAsync(request);
    }
}
