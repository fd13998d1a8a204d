using System.Net;
using System.Text.Json.Nodes;
using Bff.Callers.ApiKeys;
using Bff.TestKit;
using Fault = Bff.Dev.Upstreams.Faults.Fault;
using FaultMode = Bff.Dev.Upstreams.Faults.FaultMode;
using PartnerHost = Bff.TestKit.GatewayHost<PartnerBff.Features.V1.OrderV1>;
using WebHost = Bff.TestKit.GatewayHost<WebBff.Features.Meta>;

namespace Bff.EndToEnd.Tests.Clients;

/// <summary>
/// Installs and compiles the packages that <c>eng/clients</c> makes of the contracts, and calls the gateways with them.
/// </summary>
public sealed class GeneratedClientTests(ClientPackages packages) : IClassFixture<ClientPackages>, IAsyncLifetime, IDisposable
{
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
            <UseAppHost>false</UseAppHost>
            <RestoreSources>packages</RestoreSources>
            <RestorePackagesPath>restored</RestorePackagesPath>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Bff.Clients.Mobile" Version="1.0.0" />
            <PackageReference Include="Bff.Clients.Partner" Version="1.0.0" />
          </ItemGroup>
        </Project>
        """;

    private const string PlaceAnOrder = """
        using Bff.Clients.Partner.V1;

        using var http = new HttpClient { BaseAddress = new Uri(Environment.GetEnvironmentVariable("GATEWAY")!) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Environment.GetEnvironmentVariable("API_KEY"));
        var partner = new PartnerClient(http);
        var order = new OrderRequest { Currency = "EUR", Reference = "po-77", Items = [new Items { Product_id = "p-1", Quantity = 2 }] };
        var placed = await partner.PlaceOrderAsync("po-77-1", order);
        var repeated = await partner.PlaceOrderAsync("po-77-1", order);
        var read = await partner.OrderAsync(placed.Id);
        Console.WriteLine($"{placed.Id} {repeated.Id == placed.Id} {read.Reference} {read.Items.Single().Quantity} {read.Total == placed.Total}");
        try
        {
            await partner.OrderAsync("o-nope");
        }
        catch (ApiException<Problem> refused)
        {
            Console.WriteLine($"{refused.StatusCode} {refused.Result.Code} {System.Text.Json.JsonSerializer.Serialize(refused.Result)}");
        }

        _ = typeof(Bff.Clients.Mobile.MobileClient);
        """;

    private const string ReadAFeed = """
        using Bff.Clients.Mobile;

        using var http = new HttpClient { BaseAddress = new Uri(Environment.GetEnvironmentVariable("GATEWAY")!) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Environment.GetEnvironmentVariable("TOKEN"));
        await foreach (var feed in http.GetProgressively<HomeFeed>("home-feed"))
        {
            Console.WriteLine($"{feed.User.Name} {string.Join(',', feed._meta?.Pending ?? [])} {feed.Orders?.Count}");
            using var _ = await http.GetAsync("me"); // Says that the line is here.
        }

        var whole = await new MobileClient(http).HomeFeedAsync();
        Console.WriteLine($"{whole.User.Name}  {whole.Orders?.Count}");
        try
        {
            await foreach (var _ in http.GetProgressively<OrderDetail>("orders/o-nope"))
            {
            }
        }
        catch (ApiException<Problem> refused)
        {
            Console.WriteLine($"{refused.StatusCode} {refused.Result.Code} {System.Text.Json.JsonSerializer.Serialize(refused.Result)}");
        }
        """;

    private const string ReadAProduct = """
        import { WebClient } from "@bff/web-client";

        declare const process: { env: { GATEWAY: string, SESSION: string } };
        const http = {
          fetch: (url: RequestInfo, init?: RequestInit) =>
            fetch(url, { ...init, headers: { ...init?.headers, "X-CSRF": "1", Cookie: process.env.SESSION } }),
        };
        const web = new WebClient(process.env.GATEWAY, http);
        const page = await web.product("p-1", "pricing");
        console.log(JSON.stringify([page.product.id, page.product.name, page.pricing?.currency ?? null, page.related === undefined]));
        await web.product("p-nope", undefined).catch(problem => console.log(problem.status, problem.code, JSON.stringify(problem)));
        """;

    private const string PlaceAnOrderInTypeScript = """
        import { PartnerClient } from "@bff/partner-client";

        declare const process: { env: { GATEWAY: string, API_KEY: string } };
        const http = {
          fetch: (url: RequestInfo, init?: RequestInit) =>
            fetch(url, { ...init, headers: { ...init?.headers, Authorization: `Bearer ${process.env.API_KEY}` } }),
        };
        const partner = new PartnerClient(process.env.GATEWAY, http);
        const order = { currency: "EUR", reference: "po-78", items: [{ product_id: "p-1", quantity: 2 }] };
        const placed = await partner.placeOrder("po-78-1", order);
        const repeated = await partner.placeOrder("po-78-1", order);
        const read = await partner.order(placed.id);
        console.log(placed.id, repeated.id === placed.id, read.reference, read.items[0].quantity, read.total === placed.total);
        await partner.order("o-nope").catch(problem => console.log(problem.status, problem.code, JSON.stringify(problem)));
        """;

    private readonly Workshop _workshop = new();
    private Surroundings _surroundings = null!;

    public async Task InitializeAsync() => _surroundings = await Surroundings.StartAsync();

    [NodeFact]
    public async Task The_partners_CSharp_client_places_an_order_and_reads_it_back()
    {
        packages.CopyTo(Path.Combine(_workshop.Folder, "packages"));
        _workshop.Write("Clients.csproj", Project);
        _workshop.Write("Program.cs", PlaceAnOrder);
        await Tool.Run(
            _workshop.Folder,
            "dotnet",
            ["build", "--nologo", "-v", "q", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-o", "built"]
        );
        var key = ApiKeyFormat.New(isTest: false);
        await using var host = PartnerHost.Start(
            _surroundings,
            new() { ["ApiKeys:Bootstrap:acme"] = key, ["Composition:order:order:Timeout"] = "00:00:30" }
        );

        var said = await Tool.Run(
            _workshop.Folder,
            "dotnet",
            ["built/Clients.dll"],
            ("GATEWAY", host.Address.ToString()),
            ("API_KEY", key)
        );

        host.Leaks.CheckErrorBody("the client", said);
        Assert.Matches("^o-[0-9]+ True po-77 2 True\\s+404 not_found {.*}\\s*$", said);
        Assert.Single(_surroundings.Services.Orders.Calls.All, c => c is { Method: "POST", Path: "/orders" });
    }

    [NodeFact]
    public async Task The_mobile_client_reads_a_feed_as_its_parts_arrive()
    {
        packages.CopyTo(Path.Combine(_workshop.Folder, "packages"));
        _workshop.Write("Clients.csproj", Project);
        _workshop.Write("Program.cs", ReadAFeed);
        await Tool.Run(
            _workshop.Folder,
            "dotnet",
            ["build", "--nologo", "-v", "q", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-o", "built"]
        );
        await using var gateway = await GatewayProcess.Start(
            "MobileBff",
            _surroundings,
            _workshop.Folder,
            [
                ("Composition:Deadline", "00:01:00"),
                .. ((string[])["user", "orders", "recommendations", "notifications"]).Select(p =>
                    ($"Composition:home-feed:{p}:Timeout", "00:00:30")
                ),
            ]
        );
        var firstLine = _surroundings.Services.Users.Calls.ReachAsync(2);
        _surroundings.Services.Orders.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Delay,
                Until = firstLine,
                Count = 1,
            }
        );

        var said = await Tool.Run(
            _workshop.Folder,
            "dotnet",
            ["built/Clients.dll"],
            ("GATEWAY", gateway.Address.ToString()),
            ("TOKEN", _surroundings.Token())
        );

        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        _surroundings.Leaks.CheckErrorBody("the client", lines[^1]);
        Assert.Equal("Alice Moreau  5", lines[^3]);
        Assert.Equal("Alice Moreau  5", lines[^2]);
        Assert.Matches("^Alice Moreau (.*,)?orders(,.*)? $", lines[0]);
        Assert.StartsWith("404 not_found {", lines[^1], StringComparison.Ordinal);
    }

    [NodeFact]
    public async Task The_partners_TypeScript_client_places_an_order_and_reads_it_back()
    {
        await Compile("order.ts", PlaceAnOrderInTypeScript);
        var key = ApiKeyFormat.New(isTest: false);
        await using var host = PartnerHost.Start(
            _surroundings,
            new() { ["ApiKeys:Bootstrap:acme"] = key, ["Composition:order:order:Timeout"] = "00:00:30" }
        );

        var said = await _workshop.Node(["order.js"], ("GATEWAY", host.Address.GetLeftPart(UriPartial.Authority)), ("API_KEY", key));

        host.Leaks.CheckErrorBody("the client", said);
        Assert.Matches("^o-[0-9]+ true po-78 2 true\\s+404 not_found {.*}\\s*$", said);
        Assert.Single(_surroundings.Services.Orders.Calls.All, c => c is { Method: "POST", Path: "/orders" });
    }

    [NodeFact]
    public async Task The_TypeScript_client_of_the_browser_app_reads_a_product()
    {
        await Compile("read.ts", ReadAProduct);
        await using var host = WebHost.Start(
            _surroundings,
            new()
            {
                ["Session:Authority"] = _surroundings.Identity.Authority,
                ["Session:ClientId"] = "web-bff",
                ["Session:ClientSecret"] = "web-bff-development-secret",
                ["Session:RequireHttpsMetadata"] = "false",
                ["Composition:product:product:Timeout"] = "00:00:30",
                ["Composition:product:pricing:Timeout"] = "00:00:30",
            }
        );
        var session = await SignIn(host);

        var said = await _workshop.Node(["read.js"], ("GATEWAY", host.Address.GetLeftPart(UriPartial.Authority)), ("SESSION", session));

        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        host.Leaks.CheckErrorBody("the client", lines[1]);
        Assert.StartsWith("404 not_found {", Assert.Single(lines[1..]), StringComparison.Ordinal);
        Assert.Equal("""["p-1","Trail Shoe","EUR",true]""", JsonNode.Parse(lines[0])!.ToJsonString());
    }

    public async Task DisposeAsync() => await _surroundings.DisposeAsync();

    public void Dispose() => _workshop.Dispose();

    private async Task Compile(string file, string program)
    {
        packages.CopyTo(_workshop.Folder);
        _workshop.Write("package.json", """{ "type": "module" }""");
        _workshop.Write(file, program);
        await Tool.Run(
            _workshop.Folder,
            NodeFactAttribute.Npm!,
            ["install", "--no-audit", "--no-fund", "--offline", "./bff-web-client-1.0.0.tgz", "./bff-partner-client-1.0.0.tgz"]
        );
        await _workshop.Node([
            ClientPackages.Compiler,
            "--strict",
            "--noEmitOnError",
            "--target",
            "es2022",
            "--module",
            "nodenext",
            "--lib",
            "es2022,dom,dom.iterable",
            file,
        ]);
    }

    /// <summary>Signs alice in at the provider and returns the cookie of her session.</summary>
    private async Task<string> SignIn(WebHost host)
    {
        var cookies = new CookieContainer();
        using var browser = host.NewClient(
            host.Address,
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseProxy = false,
                CookieContainer = cookies,
            }
        );
        using var begun = await browser.GetAsync(new Uri(host.Address, "/bff/login?returnUrl=%2F"));
        using var choice = new FormUrlEncodedContent([KeyValuePair.Create("user", "alice")]);
        using var chosen = await browser.PostAsync(_surroundings.Identity.Authority + "/sign-in" + begun.Headers.Location!.Query, choice);
        using var back = await browser.GetAsync(chosen.Headers.Location);
        Assert.Equal(HttpStatusCode.Found, back.StatusCode);
        return cookies.GetCookieHeader(host.Address);
    }
}
