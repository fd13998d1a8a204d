namespace Bff.Dev.Upstreams.Data;

/// <summary>Users u-1001 to u-1100, spread over three tenants.</summary>
internal static class People
{
    public const int First = 1001;
    public const int Last = 1100;

    public static readonly string[] Tenants = ["acme", "globex", "initech"];

    private static readonly string[] GivenNames =
    [
        "Alice",
        "Bruno",
        "Chloé",
        "Daan",
        "Elena",
        "Farid",
        "Greta",
        "Hugo",
        "Ines",
        "Jonas",
        "Katja",
        "Liam",
        "Maja",
        "Nils",
        "Olga",
        "Pablo",
        "Rosa",
        "Sven",
        "Thea",
        "Yara",
    ];

    private static readonly string[] FamilyNames =
    [
        "Moreau",
        "Novak",
        "Lindqvist",
        "Rossi",
        "O'Brien",
        "García",
        "Müller",
        "Kowalska",
        "Haddad",
        "de Vries",
        "Ångström",
    ];

    private static readonly Address[] Homes =
    [
        new("12 rue Sala", "Lyon", "69002", "FR"),
        new("Torstraße 8", "Berlin", "10119", "DE"),
        new("Via Dante 3", "Milano", "20121", "IT"),
        new("Storgata 21", "Tromsø", "9008", "NO"),
        new("14 Leith Walk", "Edinburgh", "EH6 5DT", "GB"),
        new("Calle Mayor 5", "Zaragoza", "50001", "ES"),
    ];

    private static readonly string[] Locales = ["en-GB", "fr-FR", "de-DE", "it-IT", "nb-NO", "es-ES"];
    private static readonly string[] Plans = ["pro", "free", "premium", "enterprise"];

    public static readonly UserDocument[] All = [.. Enumerable.Range(First, Last - First + 1).Select(Make)];

    public static UserDocument? Find(string id) =>
        id.StartsWith("u-", StringComparison.Ordinal)
        && int.TryParse(id.AsSpan(2), out var number)
        && number is >= First and <= Last
        && id.Length == 6
            ? All[number - First]
            : null;

    private static UserDocument Make(int number)
    {
        var i = number - First;
        var given = GivenNames[i % GivenNames.Length];
        var home = i % Homes.Length;
        return new UserDocument(
            $"u-{number}",
            $"{given} {FamilyNames[i % FamilyNames.Length]}",
            i == 0 ? "alice@example.com" : $"user{number}@example.com",
            $"/media/large/u-{number}.jpg",
            Plans[i % Plans.Length],
            Locales[i % Locales.Length],
            new DateTimeOffset(2024, 4, 12, 9, 30, 0, TimeSpan.Zero).AddHours(i * 31),
            Homes[home],
            new UserPreferences(
                new MobilePreferences(i % 3 == 1 ? "light" : "dark", i % 4 != 3),
                new WebPreferences(i % 2 == 0 ? "compact" : "comfortable")
            ),
            Tenants[i % Tenants.Length],
            i % 5 == 0 ? ["early-adopter", "newsletter"] : []
        );
    }
}
