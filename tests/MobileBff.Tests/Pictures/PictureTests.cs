using Bff.Requests;
using Microsoft.Extensions.DependencyInjection;
using MobileBff.Features.Pictures;

namespace MobileBff.Tests.Pictures;

public sealed class PictureTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task A_picture_is_no_wider_than_asked_for_and_kept()
    {
        var host = Start();

        var response = await host.Get("/images/p-1.jpg?w=160", user: null);
        var bytes = await response.Content.ReadAsByteArrayAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("cross-origin", response.Headers.GetValues("Cross-Origin-Resource-Policy").Single());
        Assert.Equal("image/jpeg", response.Content.Headers.ContentType!.MediaType);
        Assert.True(PictureHeader.TryRead(bytes, out var header));
        Assert.Equal((160, 120), (header.Width, header.Height));
        Assert.Contains("Accept", response.Headers.NonValidated["Vary"].ToString(), StringComparison.Ordinal);
        Assert.Contains("Save-Data", response.Headers.NonValidated["Vary"].ToString(), StringComparison.Ordinal);
        Assert.True(response.Headers.CacheControl!.MaxAge >= TimeSpan.FromDays(1));

        var again = host.Request(HttpMethod.Get, "/images/p-1.jpg?w=160", user: null);
        again.Headers.TryAddWithoutValidation("If-None-Match", response.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.NotModified, (await host.Client.SendAsync(again)).StatusCode);
        Assert.Equal(1, host.Services.GetRequiredService<PictureStore>().Decoded);
        Assert.Equal(1, Upstream.Media.Calls.Count);
        await host.Log.Until(e => e.Message.Contains("libvips", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WebP_is_sent_to_clients_that_accept_it_and_Save_Data_makes_pictures_smaller()
    {
        var host = Start();

        var webp = await Send(host, "/images/p-2.jpg?w=640", ("Accept", "image/avif,image/webp,*/*"));
        var any = await Send(host, "/images/p-2.jpg?w=640", ("Accept", "*/*"));
        var refused = await Send(host, "/images/p-2.jpg?w=640", ("Accept", "image/webp;q=0, image/jpeg"));
        var saving = await Send(host, "/images/p-2.jpg?w=640", ("Save-Data", "on"));

        Assert.Equal("image/webp", webp.Content.Headers.ContentType!.MediaType);
        Assert.Equal("WEBP"u8.ToArray(), (await webp.Content.ReadAsByteArrayAsync())[8..12]);
        Assert.Equal("image/jpeg", any.Content.Headers.ContentType!.MediaType);
        Assert.Equal("image/jpeg", refused.Content.Headers.ContentType!.MediaType);
        Assert.True((await saving.Content.ReadAsByteArrayAsync()).Length < (await any.Content.ReadAsByteArrayAsync()).Length);
    }

    [Theory]
    [InlineData("image/webp;q=0.1, image/jpeg;q=0.9", "image/jpeg")]
    [InlineData("image/webp;q=0.5, image/*", "image/jpeg")]
    [InlineData("image/webp;q=0.5, */*", "image/jpeg")]
    [InlineData("image/jpeg;q=0.9, image/webp", "image/webp")]
    [InlineData("image/jpeg, image/webp", "image/webp")]
    [InlineData("image/webp;q=0.5, image/jpeg;q=0, */*", "image/webp")]
    public async Task The_picture_type_that_the_client_prefers_is_sent(string accept, string kind)
    {
        var picture = await Send(Start(), "/images/p-2.jpg?w=96", ("Accept", accept));

        Assert.Equal(kind, picture.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Copies_that_are_requested_at_the_same_time_are_made_once()
    {
        var host = Start();
        var held = Upstream.Media.Faults.Hold();
        var answers = Enumerable.Range(0, 20).Select(_ => host.Get("/images/p-3.jpg?w=320", user: null)).ToList();
        await Upstream.Media.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        held.Dispose();

        foreach (var answer in await Task.WhenAll(answers))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Equal(1, Upstream.Media.Calls.Count);
    }

    [Fact]
    public async Task A_request_that_missed_the_cache_before_a_copy_was_made_gets_that_copy()
    {
        var store = Start().Services.GetRequiredService<PictureStore>();
        var variant = new PictureVariant("p-4.jpg", 320, WebP: false, SavesData: false);
        var request = new BffRequest
        {
            RequestId = "r",
            CorrelationId = "c",
            StartTimestamp = TimeProvider.System.GetTimestamp(),
            Caller = Caller.Anonymous,
        };

        var first = await store.Get(variant, request, default);
        var second = await store.Get(variant, request, default);

        Assert.Same(first, second);
        Assert.Equal(1, Upstream.Media.Calls.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?w=161")]
    [InlineData("?w=0160")]
    [InlineData("?w=-160")]
    [InlineData("?w=160&w=320")]
    public async Task An_unknown_width_is_refused(string query)
    {
        var problem = await Problem(await Start().Get("/images/p-1.jpg" + query, user: null), 400, "validation_failed");

        Assert.NotNull(problem["errors"]!["w"]);
        Assert.Equal(0, Upstream.Media.Calls.Count);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("%2e%2e")]
    [InlineData("..%2fusers")]
    [InlineData("a%5cb")]
    [InlineData(".hidden")]
    [InlineData("a%3fb")]
    [InlineData("a%20b")]
    [InlineData("p-1.jpg%00")]
    public async Task Nothing_but_a_plain_file_name_reaches_the_media_service(string file)
    {
        var response = await Start().Get($"/images/{file}?w=160", user: null);

        Assert.InRange((int)response.StatusCode, 400, 404);
        Assert.Equal(0, Upstream.Media.Calls.Count);
    }

    [Fact]
    public async Task A_picture_that_is_not_there_is_not_found() =>
        await Problem(await Start().Get("/images/p-none.jpg?w=160", user: null), 404, "not_found");

    [Theory]
    [InlineData(FaultMode.Html)]
    [InlineData(FaultMode.Garbage)]
    [InlineData(FaultMode.Empty)]
    [InlineData(FaultMode.WrongType)]
    [InlineData(FaultMode.Oversize)]
    [InlineData(FaultMode.Status)]
    [InlineData(FaultMode.ResetMidBody)]
    public async Task A_document_that_is_not_a_picture_is_a_failure_of_the_service(FaultMode mode)
    {
        Upstream.Media.Faults.Set(mode);

        await Problem(await Start().Get("/images/p-4.jpg?w=160", user: null), 502, "upstream_failed");
    }

    [Fact]
    public async Task A_truncated_picture_is_a_failure_of_the_service()
    {
        Upstream.Media.Faults.Set(FaultMode.Truncated);

        await Problem(await Start().Get("/images/p-5.jpg?w=960", user: null), 502, "upstream_failed");
    }

    [Theory]
    [InlineData("baseline.jpg")]
    [InlineData("progressive.jpg")]
    [InlineData("colours.png")]
    public async Task A_truncated_picture_is_refused_even_with_its_end_marker_restored(string name)
    {
        await using var stored = await StoredPictures.StartAsync();
        var (whole, end) = StoredPictures.Noise(name);
        var (half, type) = (whole[..(whole.Length / 2)], name.EndsWith("png", StringComparison.Ordinal) ? "image/png" : "image/jpeg");
        stored.Files["/media/large/whole-" + name] = (whole, type);
        stored.Files["/media/large/half-" + name] = (half, type);
        stored.Files["/media/large/closed-" + name] = ([.. half, .. end], type);
        stored.Files["/media/large/nearly-" + name] = ([.. whole[..(whole.Length - whole.Length / 20)], .. end], type);
        var host = Start(new() { ["Upstreams:media:Address"] = stored.Address });

        Assert.Equal(HttpStatusCode.OK, (await host.Get($"/images/whole-{name}?w=640", user: null)).StatusCode);
        foreach (var broken in (string[])["half-", "closed-", "nearly-"])
        {
            await Problem(await host.Get($"/images/{broken}{name}?w=640", user: null), 502, "upstream_failed");
            await Problem(await host.Get($"/images/{broken}{name}?w=96", user: null), 502, "upstream_failed"); // Decodes a smaller scale.
        }
    }

    [Fact]
    public async Task A_png_becomes_a_jpeg()
    {
        await using var stored = await StoredPictures.StartAsync();
        stored.Files["/media/large/small.png"] = (StoredPictures.Png(1000, 500), "image/png");
        var host = Start(new() { ["Upstreams:media:Address"] = stored.Address });

        var response = await host.Get("/images/small.png?w=96", user: null);

        Assert.True(PictureHeader.TryRead(await response.Content.ReadAsByteArrayAsync(), out var header));
        Assert.Equal(("image/jpeg", 96, 48), (header.MediaType, header.Width, header.Height));
    }

    [Fact]
    public async Task Without_libvips_the_nearest_stored_size_is_served_and_the_start_says_so()
    {
        var host = Start(new() { ["Images:Decode"] = "false" });

        Assert.Equal(HttpStatusCode.OK, (await host.Get("/images/p-6.jpg?w=160", user: null)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/images/p-6.jpg?w=960", user: null)).StatusCode);

        Assert.Equal(["/media/thumb/p-6.jpg", "/media/large/p-6.jpg"], Upstream.Media.Calls.All.Select(c => c.Path));
        Assert.Contains(host.Log.Entries, e => e.Message.Contains("nearest stored size", StringComparison.Ordinal));
    }

    /// <summary>
    /// Starts a host that reads each picture once. A picture has ten seconds; after half of them a second read would start beside one that
    /// a busy machine holds up.
    /// </summary>
    private MobileHost Start(Dictionary<string, string?>? settings = null) =>
        base.Start(new Dictionary<string, string?> { ["Upstreams:media:Retries"] = "0" }.With(settings));

    private static Task<HttpResponseMessage> Send(MobileHost host, string path, (string Name, string Value) header)
    {
        var request = host.Request(HttpMethod.Get, path, user: null);
        request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        return host.Client.SendAsync(request);
    }
}
